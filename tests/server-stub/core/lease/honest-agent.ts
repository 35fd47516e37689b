/** An agent that follows the protocol, without disks or processes: what it would have on disk, and what it says. */

import type { Build } from "../../../../protocol/build.ts";
import type { Heartbeat, Hello } from "../../../../protocol/frames.ts";
import type { FinalWord, JournalReport } from "../../../../protocol/journal.ts";
import { IDLE_UPDATE } from "../../../harness/idle-update.ts";

const HOLDINGS = { backup: null, hold: false, quarantine: [] };

export type Request =
  | { readonly kind: "reserve"; readonly session: string; readonly to: Build; readonly number: number }
  | {
      readonly kind: "commit";
      readonly session: string;
      readonly token: number;
      readonly number: number;
      readonly sentAtMs: number;
    };

export class HonestAgent {
  readonly id: string;
  readonly #newInstance: () => string;
  instance: string;
  session = "";
  seq = 0;
  /** Durable: journal, what dist names, words not yet acknowledged. */
  journal: JournalReport = { kind: "idle" };
  dist: Build;
  words: FinalWord[] = [];
  /** In memory of this process. */
  runs: Build;
  up = true;
  token: number | null = null;
  /** Token under which it may flip, until then. */
  mayFlip: { readonly token: number; readonly untilMs: number } | null = null;
  #asked = 0;
  flips = 0;

  constructor(id: string, build: Build, newInstance: () => string) {
    this.id = id;
    this.dist = build;
    this.runs = build;
    this.#newInstance = newInstance;
    this.instance = newInstance();
  }

  get hello(): Hello {
    return {
      type: "hello",
      protocol: 1,
      instanceId: this.instance,
      build: this.runs,
      platform: "linux-x64",
      runtime: "26.10.0",
      canHandOver: false,
      journal: this.journal,
      finalWords: this.words,
      holdings: HOLDINGS,
    };
  }

  heartbeat(): Heartbeat {
    this.seq += 1;
    return {
      type: "heartbeat",
      session: this.session,
      seq: this.seq,
      instanceId: this.instance,
      health: { healthy: true },
      journal: this.journal,
      finalWords: this.words,
      update: IDLE_UPDATE,
      holdings: HOLDINGS,
    };
  }

  welcome(session: string): void {
    this.session = session;
    this.seq = 0;
  }

  /** Asks for the lease; never while a word of it is not acknowledged. */
  reserve(to: Build): Request | null {
    if (!this.up || this.journal.kind !== "idle" || this.words.length > 0 || this.token !== null) return null;
    this.#asked += 1;
    return { kind: "reserve", session: this.session, to, number: this.#asked };
  }

  commit(now: number): Request | null {
    if (!this.up || this.token === null || this.mayFlip !== null) return null;
    this.journal = { kind: "committing", token: this.token };
    this.#asked += 1;
    return {
      kind: "commit",
      session: this.session,
      token: this.token,
      number: this.#asked,
      sentAtMs: now,
    };
  }

  /** The answer to the request that it waits for; to any other it is deaf. */
  answered(request: Request, granted: { token?: number; actWithinMs?: number } | null): void {
    if (!this.up || request.number !== this.#asked) return;
    this.#asked += 1;
    if (request.kind === "reserve") {
      this.token = granted?.token ?? null;
      return;
    }
    if (granted?.actWithinMs === undefined) this.giveUp();
    else this.mayFlip = { token: request.token, untilMs: request.sentAtMs + granted.actWithinMs };
  }

  /** Nothing was flipped: resumes, says so until it is acknowledged, and is deaf to what it asked before. */
  giveUp(): void {
    this.#asked += 1;
    if (this.journal.kind === "committing") this.#say(this.journal.token, "not-acted");
    this.journal = { kind: "idle" };
    this.token = null;
    this.mayFlip = null;
  }

  /** Flips dist if it still may; answers the token it did so under. The process exits, and starts again elsewhere. */
  flip(to: Build, now: number): number | null {
    if (!this.up || this.mayFlip === null) return null;
    if (now > this.mayFlip.untilMs) {
      this.giveUp();
      return null;
    }
    const { token } = this.mayFlip;
    this.journal = { kind: "swapping", token, jobId: "j-000000000000", from: this.dist, to };
    this.dist = to;
    this.flips += 1;
    this.crash();
    return token;
  }

  crash(): void {
    this.up = false;
    this.token = null;
    this.mayFlip = null;
  }

  start(): void {
    if (this.up) return;
    this.up = true;
    this.instance = this.#newInstance();
    this.session = "";
    this.runs = this.dist;
    if (this.journal.kind === "committing") {
      this.#say(this.journal.token, "not-acted");
      this.journal = { kind: "idle" };
    }
  }

  confirm(token: number, instanceId: string): void {
    if (!this.up || instanceId !== this.instance) return;
    if (this.journal.kind !== "swapping" || this.journal.token !== token) return;
    this.#say(token, "confirmed");
    this.journal = { kind: "idle" };
  }

  /** Its probation is over without a confirm; a flip back needs the lease too. Answers the token. */
  goBack(): number | null {
    if (this.journal.kind !== "swapping") return null;
    const { token, from } = this.journal;
    this.dist = from;
    this.flips += 1;
    this.#say(token, "rolled-back");
    this.journal = { kind: "idle" };
    this.crash();
    return token;
  }

  acknowledged(tokens: readonly number[]): void {
    if (this.up) this.words = this.words.filter((word) => !tokens.includes(word.token));
  }

  #say(token: number, word: FinalWord["word"]): void {
    this.words = [
      ...this.words.filter((each) => each.token !== token),
      { token, jobId: "j-000000000000", word, reason: null },
    ];
  }
}
