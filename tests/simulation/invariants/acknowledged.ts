/** What a process is told of a write is what became of it: written once, or not at all, whatever was lost on the way. */
import type { Applied, Change } from "../../../server-stub/store/records.ts";
import type { StoreAway } from "../../../server-stub/store/sql/transact.ts";
import { Violation } from "./violation.ts";

export class Acknowledged {
  readonly #what: string;
  readonly #broke: (violation: Violation) => void;
  #times = 0;
  #told: "written" | "refused" | StoreAway["outcome"] | null = null;

  constructor(changes: readonly Change[], broke: (violation: Violation) => void) {
    this.#what = changes.map(({ kind }) => kind).join(", ");
    this.#broke = broke;
  }

  /** The server has done it, or refused it. */
  executed(applied: Applied): Applied {
    if (applied.ok) this.#times += 1;
    this.#check();
    return applied;
  }

  /** Whoever asked has been answered. */
  told(applied: Applied): Applied {
    this.#told = applied.ok ? "written" : "refused";
    this.#check();
    return applied;
  }

  away({ outcome }: StoreAway): void {
    this.#told = outcome;
    this.#check();
  }

  #check(): void {
    const told = this.#told;
    const isTrue =
      told === null || told === "unknown" ? this.#times <= 1 : this.#times === (told === "written" ? 1 : 0);
    if (isTrue) return;
    const said = told === null ? "nothing was said of it yet" : `it was said to be ${told}`;
    this.#broke(
      new Violation("acknowledged", `A write (${this.#what}) was done ${this.#times} times, and ${said}.`),
    );
  }
}
