/** A node that beats by HTTP and looks at the readiness, twice a second: how long the coordinator takes to answer. */
import { randomUUID } from "node:crypto";
import type { JoinReply } from "../../protocol/access.ts";
import type { CoordinatorFrames } from "../../protocol/frames.ts";
import type { LoneCoordinator } from "../light-agents/coordinator.ts";
import { heartbeatOf, helloOf } from "../server-stub/harness/node.ts";

const EVERY_MS = 500;

/** `readyMs` and `beatMs`: of those that were answered as they should. `failed`: of those that were not. */
export type Probed = { readonly beatMs: number[]; readonly readyMs: number[]; failed: number };

export class Probe {
  readonly #coordinator: LoneCoordinator;
  readonly #who: JoinReply;
  readonly #instanceId = randomUUID();
  #session: string | null = null;
  #seq = 0;
  #seen: Probed = { beatMs: [], readyMs: [], failed: 0 };
  #looking: Promise<void> = Promise.resolve();
  readonly #timer: NodeJS.Timeout;
  #isLooking = false;

  constructor(coordinator: LoneCoordinator, who: JoinReply) {
    this.#coordinator = coordinator;
    this.#who = who;
    this.#timer = setInterval(() => this.#look(), EVERY_MS);
  }

  /** What was seen since it was taken last. */
  take(): Probed {
    const seen = this.#seen;
    this.#seen = { beatMs: [], readyMs: [], failed: 0 };
    return seen;
  }

  async end(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  #look(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#looking = Promise.all([this.#beat(), this.#timed("/readyz")])
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
