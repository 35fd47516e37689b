/** An operator without rest: as soon as a rollout is over, the next release is published and rolled out. */
import { setTimeout as sleep } from "node:timers/promises";
import type { RolloutSummary } from "../../protocol/rollout.ts";
import type { LoneCoordinator } from "../light-agents/coordinator.ts";

const POLICY = { stages: [0.1, 1], pauseMs: 1_000, offline: "halt" };

export class Rollouts {
  started = 0;
  completed = 0;
  /** A node that is cut off when its turn comes halts a rollout; it is told to try again. */
  halts = 0;
  progress = "";
  readonly #coordinator: LoneCoordinator;
  readonly #concurrency: number;
  #id: string | null = null;
  #ended = false;
  readonly #rolling: Promise<void>;

  constructor(coordinator: LoneCoordinator, concurrency: number) {
    this.#coordinator = coordinator;
    this.#concurrency = concurrency;
    this.#rolling = this.#roll();
  }

  /** No further turn is given, and who is under way finishes. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#rolling;
    if (this.#id !== null) await this.#coordinator.call("POST", `/v1/rollouts/${this.#id}/cancel`);
  }

  async #roll(): Promise<void> {
    while (!this.#ended) {
      // The coordinator may be away, or too busy to answer; another look follows.
      await this.#step().catch((error: unknown) => {
        this.progress = error instanceof Error ? error.message.slice(0, 120) : String(error);
      });
      await sleep(1_000);
    }
  }

  async #step(): Promise<void> {
    if (this.#id === null) return this.#begin();
    const { status, counts } = await this.#coordinator.call<RolloutSummary>(
      "GET",
      `/v1/rollouts/${this.#id}`,
    );
    const all = Object.values(counts).reduce((sum, one) => sum + one, 0);
    this.progress = `1.${this.started}.0 ${status} ${counts.succeeded}/${all}`;
    if (status === "halted") {
      await this.#coordinator.call("POST", `/v1/rollouts/${this.#id}/retry`);
      this.halts += 1;
    }
    if (status === "completed" || status === "cancelled" || status === "failed") {
      if (status === "completed") this.completed += 1;
      this.#id = null;
    }
  }

  async #begin(): Promise<void> {
    const release = `1.${this.started + 1}.0`;
    await this.#coordinator.publish(release);
    this.started += 1;
    const body = {
      selection: { labels: { soak: "yes" } },
      release,
      policy: { ...POLICY, concurrency: this.#concurrency },
    };
    const { id } = await this.#coordinator.call<{ id: string }>("POST", "/v1/rollouts", { body });
    this.#id = id;
  }
}
