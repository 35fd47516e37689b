/** A reader of events that keeps up, and comes back with the last id when it was cut off: it must miss nothing. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Job, JobStatus } from "../../protocol/job.ts";
import type { JobId } from "../../protocol/names.ts";
import { EventReader } from "../server-stub/harness/event-reader.ts";

export class Follower {
  /** The status that the last event of each job told. */
  readonly jobs = new Map<JobId, JobStatus>();
  readonly complaints: string[] = [];
  events = 0;
  comebacks = 0;
  readonly #url: string;
  readonly #token: string;
  #lastId = "";
  #ended = false;
  #reader: EventReader | undefined;
  readonly #following: Promise<void>;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
    this.#following = this.#follow();
  }

  async end(): Promise<void> {
    this.#ended = true;
    this.#reader?.close();
    await this.#following;
  }

  async #follow(): Promise<void> {
    while (!this.#ended) {
      await this.#readToTheEnd().catch((error: unknown) => this.#wasCutOff(error));
      await sleep(200);
    }
  }

  /** The coordinator may be away, or end the stream; whoever comes back goes on where it was. */
  #wasCutOff(error: unknown): void {
    if (!(error instanceof Error)) throw error;
    this.comebacks += 1;
  }

  async #readToTheEnd(): Promise<void> {
    const after = this.#lastId === "" ? {} : { after: this.#lastId };
    const reader = await EventReader.open(this.#url, { token: this.#token, ...after, query: "?kinds=job" });
    this.#reader = reader;
    for (let block = await reader.block(); block !== null; block = await reader.block()) {
      if (block.id !== null) this.#lastId = block.id;
      if (block.event === "reset") this.complaints.push(`the events were reset: ${block.data}`);
      else if (block.data !== null) this.#take(JSON.parse(block.data) as { kind: string; value: Job });
    }
  }

  #take({ kind, value }: { readonly kind: string; readonly value: Job }): void {
    this.events += 1;
    if (kind === "job") this.jobs.set(value.id, value.status);
  }
}
