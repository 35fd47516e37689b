/** A node that does nothing but take its group's lease and return it, over HTTP, as fast as it is answered. */

import { randomInt, randomUUID } from "node:crypto";
import { type Dispatcher, request } from "undici";
import type { JoinReply } from "../../protocol/access.ts";
import type { Build } from "../../protocol/build.ts";
import type { CoordinatorFrames, Heartbeat, Hello } from "../../protocol/frames.ts";
import type { FinalWord, JournalReport } from "../../protocol/journal.ts";
import type { CommitReply, ReserveReply } from "../../protocol/lease.ts";
import { IDLE_UPDATE } from "../../tests/harness/idle-update.ts";

const RUNS: Build = { version: "1.1.0", buildHash: "1".repeat(64) };
/** Going back to what is in `dist.bak` needs no release and no order, only the lease. */
const BACKUP: Build = { version: "1.0.0", buildHash: "0".repeat(64) };

const IDLE: JournalReport = { kind: "idle" };

export class LeaseNode {
  readonly #url: string;
  readonly #dispatcher: Dispatcher;
  readonly #who: JoinReply;
  readonly #instanceId = randomUUID();
  #session = "";
  #seq = 0;

  constructor(url: string, dispatcher: Dispatcher, who: JoinReply) {
    this.#url = url;
    this.#dispatcher = dispatcher;
    this.#who = who;
  }

  async open(): Promise<void> {
    const hello: Hello = {
      type: "hello",
      protocol: 1,
      instanceId: this.#instanceId,
      build: RUNS,
      platform: "linux-x64",
      runtime: process.versions.node,
      canHandOver: false,
      journal: IDLE,
      finalWords: [],
      holdings: { backup: BACKUP, hold: false, quarantine: [] },
    };
    const { frames } = await this.#post<CoordinatorFrames>("/v1/heartbeat", { frames: [hello] });
    const welcome = frames.find((frame) => frame.type === "welcome");
    if (welcome === undefined) throw new Error("a hello was not welcome");
    this.#session = welcome.session;
    await this.sayIdle();
  }

  /**
   * Reserve, commit, confirm: three requests, each durable before it is answered. `whileDown` is run where a node would
   * be away.
   */
  async cycle(whileDown: () => Promise<void> = async () => undefined): Promise<void> {
    const session = this.#session;
    const jobId = `j-${randomInt(36 ** 9)
      .toString(36)
      .padStart(12, "0")}`;
    const lease = `/v1/groups/${this.#who.group}/lease`;
    const { token } = await this.#post<ReserveReply>(`${lease}/reserve`, { session, jobId, build: BACKUP });
    await this.#post<CommitReply>(`${lease}/commit`, { session, token, needMs: 10_000 });
    await whileDown();
    const acknowledged = await this.#beat({ kind: "confirmed", token }, [
      { token, jobId, word: "confirmed", reason: null },
    ]);
    if (!acknowledged.includes(token)) throw new Error(`token ${token} was not returned`);
  }

  async sayIdle(): Promise<void> {
    await this.#beat(IDLE, []);
  }

  /** Answers the final words that are stored. */
  async #beat(journal: JournalReport, finalWords: FinalWord[]): Promise<readonly number[]> {
    this.#seq += 1;
    const heartbeat: Heartbeat = {
      type: "heartbeat",
      session: this.#session,
      seq: this.#seq,
      instanceId: this.#instanceId,
      health: { healthy: true, caughtUp: true },
      journal,
      finalWords,
      update: IDLE_UPDATE,
      holdings: { backup: BACKUP, hold: false, quarantine: [] },
    };
    const { frames } = await this.#post<CoordinatorFrames>("/v1/heartbeat", { frames: [heartbeat] });
    return frames.find((frame) => frame.type === "orders")?.acknowledged ?? [];
  }

  async #post<T>(path: string, body: object): Promise<T> {
    const answer = await request(`${this.#url}${path}`, {
      method: "POST",
      dispatcher: this.#dispatcher,
      headers: { authorization: `Bearer ${this.#who.credential}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`${path} was answered with ${answer.statusCode}: ${text}`);
    return JSON.parse(text) as T;
  }
}
