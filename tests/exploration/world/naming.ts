import type { Placed } from "../../../agent/core/journal.ts";
import { EPOCH, epochOf } from "./checks.ts";

/** The names that one node's part of a world knows, as numbers that do not depend on what else has happened. */
export class Naming {
  readonly #lastToken: number;
  readonly #epoch: number;
  readonly #tokens: number[] = [];
  readonly #seqs: number[] = [];
  /** The highest that was asked with `upTo`. */
  #bound = 0;
  #isInOrder = true;
  #processes: string[] = [];
  #sessions: string[] = [];

  constructor(lastToken: number, epoch: number) {
    this.#lastToken = lastToken;
    this.#epoch = epoch;
  }

  /** Everything came up in the order of its rank: to write it again would write the same. */
  get isInOrder(): boolean {
    return this.#isInOrder;
  }

  /** All tokens have been met: from here on they are ranks, and names are counted anew. */
  rank(): void {
    this.#tokens.sort((a, b) => a - b);
    this.#seqs.sort((a, b) => a - b);
    this.#processes = [];
    this.#sessions = [];
  }

  /** Its rank; `o` of an earlier epoch, `+` above what the coordinator knows to have given. */
  token(token: number): string {
    if (token === 0) return "0";
    let at = this.#tokens.indexOf(token);
    if (at === -1) {
      if (token < (this.#tokens.at(-1) ?? 0) || token <= this.#bound) this.#isInOrder = false;
      at = this.#tokens.push(token) - 1;
    }
    const era = epochOf(token) < this.#epoch ? "o" : "";
    return `${at + 1}${era}${token > this.#lastToken ? "+" : ""}`;
  }

  /** How many of the tokens are no higher: all that a bound is asked. */
  upTo(bound: number): string {
    this.#bound = Math.max(this.#bound, bound);
    const count = this.#tokens.filter((token) => token <= bound).length;
    return `${count}${bound > Math.max(this.#lastToken, this.#epoch * EPOCH) ? "+" : ""}`;
  }

  process(instance: string | null): string {
    return instance === null ? "?" : `i${numberOf(this.#processes, instance)}`;
  }

  session(session: string | null): string {
    return session === null ? "?" : `s${numberOf(this.#sessions, session)}`;
  }

  /** The number of a late message, by its order among all of the node's that are late. */
  seq(seq: number): number {
    if (!this.#seqs.includes(seq)) {
      if (seq < (this.#seqs.at(-1) ?? 0)) this.#isInOrder = false;
      this.#seqs.push(seq);
    }
    return this.#seqs.indexOf(seq);
  }

  build(placed: Placed | null): string {
    return placed === null ? "0" : this.hash(placed.build.buildHash);
  }

  hash(buildHash: string): string {
    return buildHash.charAt(0);
  }
}

function numberOf(names: string[], name: string): number {
  const at = names.indexOf(name);
  return at === -1 ? names.push(name) - 1 : at;
}
