/** An operator who changes something a few times a second, and remembers what was acknowledged. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { AuditEntry } from "../../protocol/audit.ts";
import type { Coordinators } from "./coordinators.ts";

const EVERY_MS = 200;

export class Operator {
  /** Groups whose making was acknowledged. */
  readonly acknowledged: string[] = [];
  /** Those of which nobody said what became: they may be there or not. */
  unanswered = 0;
  readonly #coordinators: Coordinators;
  #ended = false;
  #made = 0;
  readonly #working: Promise<void>;

  constructor(coordinators: Coordinators) {
    this.#coordinators = coordinators;
    this.#working = this.#work();
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#working;
  }

  /** What was acknowledged and is not there, or not exactly once in the audit log. */
  async lost(): Promise<readonly string[]> {
    // It goes on while this is read.
    const acknowledged = [...this.acknowledged];
    const known = new Set(
      (await all<{ name: string }>(this.#coordinators, "/v1/groups", "groups")).map(({ name }) => name),
    );
    const entries = await all<AuditEntry>(this.#coordinators, "/v1/audit", "entries", "&action=group.");
    const noted = Map.groupBy(entries, ({ subject }) => subject);
    return acknowledged.flatMap((name) => {
      const times = noted.get(name)?.filter(({ action }) => action.startsWith("group.")).length ?? 0;
      if (!known.has(name)) return [`group ${name} was acknowledged, and is not there`];
      return times === 1 ? [] : [`group ${name} was acknowledged, and is ${times} times in the audit log`];
    });
  }

  async #work(): Promise<void> {
    while (!this.#ended) {
      this.#made += 1;
      const name = `made-${this.#made}`;
      try {
        const body = { name, mode: "independent" };
        const { status } = await this.#coordinators.ask("POST", "/v1/groups", body, randomUUID());
        if (status === 201) this.acknowledged.push(name);
        else this.unanswered += 1;
      } catch {
        this.unanswered += 1;
      }
      await sleep(EVERY_MS);
    }
  }
}

/** All pages of a list. */
export async function all<T>(
  coordinators: Coordinators,
  path: string,
  member: string,
  query = "",
): Promise<readonly T[]> {
  const found: T[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const from: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page: Record<string, unknown> = await coordinators.call("GET", `${path}?limit=1000${query}${from}`);
    found.push(...(page[member] as T[]));
    cursor = page.next as string | null;
  }
  return found;
}
