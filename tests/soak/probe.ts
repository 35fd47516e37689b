/**
 * A node that beats by HTTP and looks at the readiness, twice a second: how long the coordinator takes to answer; and
 * beside it how long the machine takes to make a few bytes last, which is none of the coordinator's doing.
 */
import { randomUUID } from "node:crypto";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { JoinReply } from "../../protocol/access.ts";
import type { CoordinatorFrames } from "../../protocol/frames.ts";
import type { LoneCoordinator } from "../light-agents/coordinator.ts";
import { heartbeatOf, helloOf } from "../server-stub/harness/node.ts";

const EVERY_MS = 500;

/** `readyMs` and `beatMs`: of those that were answered as they should. `failed`: of those that were not. */
export type Probed = {
  readonly beatMs: number[];
  readonly readyMs: number[];
  readonly diskMs: number[];
  failed: number;
};

const nothingYet = (): Probed => ({ beatMs: [], readyMs: [], diskMs: [], failed: 0 });

export class Probe {
  readonly #coordinator: LoneCoordinator;
  readonly #who: JoinReply;
  readonly #dir: string;
  readonly #instanceId = randomUUID();
  #session: string | null = null;
  #seq = 0;
  #seen = nothingYet();
  #looking: Promise<void> = Promise.resolve();
  readonly #timer: NodeJS.Timeout;
  #isLooking = false;

  /** `dir`: on the disk that the coordinator writes to. */
  constructor(coordinator: LoneCoordinator, who: JoinReply, dir: string) {
    this.#coordinator = coordinator;
    this.#who = who;
    this.#dir = dir;
    this.#timer = setInterval(() => this.#look(), EVERY_MS);
  }

  /** What was seen since it was taken last. */
  take(): Probed {
    const seen = this.#seen;
    this.#seen = nothingYet();
    return seen;
  }

  async end(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  #look(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#looking = this.#disk()
      .then((diskMs) => this.#seen.diskMs.push(diskMs))
      .then(() => Promise.all([this.#beat(), this.#timed("/readyz")]))
      .then(([beatMs, readyMs]) => {
        this.#seen.beatMs.push(beatMs);
        this.#seen.readyMs.push(readyMs);
      })
      .catch(() => {
        this.#seen.failed += 1;
      })
      .finally(() => {
        this.#isLooking = false;
      });
  }

  async #disk(): Promise<number> {
    const began = performance.now();
    const file = await open(join(this.#dir, "probe"), "w");
    try {
      await file.write("x".repeat(4_096));
      await file.sync();
    } finally {
      await file.close();
    }
    return performance.now() - began;
  }

  async #beat(): Promise<number> {
    if (this.#session === null) {
      const [welcome] = await this.#say(helloOf(this.#instanceId));
      if (welcome?.type === "welcome") this.#session = welcome.session;
      this.#seq = 0;
    }
    this.#seq += 1;
    const began = performance.now();
    const [answer] = await this.#say(heartbeatOf(this.#session ?? "", this.#seq, this.#instanceId));
    if (answer?.type === "refused") this.#session = null;
    return performance.now() - began;
  }

  async #say(frame: object): Promise<CoordinatorFrames["frames"]> {
    const body = { frames: [frame] };
    const token = this.#who.credential;
    const { frames } = await this.#coordinator.call<CoordinatorFrames>("POST", "/v1/heartbeat", {
      token,
      body,
    });
    return frames;
  }

  async #timed(path: string): Promise<number> {
    const began = performance.now();
    await this.#coordinator.call("GET", path);
    return performance.now() - began;
  }
}
