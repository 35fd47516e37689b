/**
 * What the agents of a group run: a small cluster that has a leader, which it loses and elects anew, and whose members
 * need a while to catch up after a start. Its hooks fail and take their time as the history says.
 */
import type { WorkloadControl } from "../../agent/core/ports.ts";
import type { HealthReport } from "../../protocol/health.ts";
import { quorumOf } from "../../protocol/quorum.ts";
import { err, ok } from "../../protocol/result.ts";
import type { SimBuild } from "./builds.ts";
import type { Random } from "./random.ts";
import type { Time } from "./time.ts";

/** Of one group: who serves right now, and who leads. */
export class Cluster {
  readonly serving = new Set<string>();
  /** Names of those that vote. */
  voters: readonly string[] = [];
  leader: string | null = null;
  readonly hasRoles: boolean;
  readonly #time: Time;
  readonly #random: Random;

  constructor(time: Time, random: Random, hasRoles: boolean) {
    this.#time = time;
    this.#random = random;
    this.hasRoles = hasRoles;
  }

  get hasQuorum(): boolean {
    return this.voters.filter((name) => this.serving.has(name)).length >= quorumOf(this.voters.length);
  }

  /** It is no member any more, whatever it goes on doing. */
  retire(name: string): void {
    this.voters = this.voters.filter((voter) => voter !== name);
    if (this.leader === name) this.leader = null;
    this.#electSoon();
  }

  serve(name: string): void {
    this.serving.add(name);
    this.#electSoon();
  }

  leave(name: string): void {
    this.serving.delete(name);
    if (this.leader === name) this.leader = null;
    this.#electSoon();
  }

  lead(name: string): boolean {
    if (!this.serving.has(name) || !this.voters.includes(name)) return false;
    this.leader = name;
    return true;
  }

  /** Leadership moves for no reason; false when nobody could take it. */
  elect(): boolean {
    if (!this.hasQuorum) return false;
    this.leader = this.#random.pick(this.voters.filter((name) => this.serving.has(name))) ?? null;
    return this.leader !== null;
  }

  #electSoon(): void {
    if (this.leader !== null) return;
    this.#time.after(this.#random.int(500, 3_000), () => {
      if (this.leader !== null || !this.hasQuorum) return;
      const able = this.voters.filter((name) => this.serving.has(name));
      this.leader = this.#random.pick(able) ?? null;
    });
  }
}

/** How a node's hooks behave, drawn anew for each call. */
export type HookLuck = { readonly fails: number; readonly overruns: number };

export type WorkloadWorld = {
  readonly name: string;
  readonly cluster: Cluster;
  readonly build: SimBuild;
  readonly random: Random;
  readonly luck: () => HookLuck;
  readonly canHandOver: boolean;
  readonly wait: (ms: number) => Promise<void>;
  readonly uptime: () => number;
  /** For the story. */
  readonly tell: (what: string) => void;
};

const DRAIN_MS = 4_000;

/** The workload of one process; it ends with `leave`. */
export function simWorkload(world: WorkloadWorld): WorkloadControl {
  const { name, cluster, build, random, luck, wait } = world;
  let serves = false;
  let caughtUpAt = 0;
  const serve = () => {
    serves = true;
    caughtUpAt = world.uptime() + random.int(200, 6_000);
    cluster.serve(name);
  };
  const leave = () => {
    serves = false;
    cluster.leave(name);
  };
  const fault = (message: string) => err({ code: "hook-failed", message });
  return {
    canHandOver: world.canHandOver,
    drainMs: DRAIN_MS,
    health: async (): Promise<HealthReport> => {
      await wait(random.int(1, 30));
      const { manner } = build;
      const flaps = manner === "flaps" && Math.floor(world.uptime() / 4_000) % 2 === 0;
      const healthy = serves && manner !== "is-unhealthy" && !flaps;
      const caughtUp = manner !== "never-catches-up" && world.uptime() >= caughtUpAt;
      const saysRole = cluster.hasRoles && build.saysRole && healthy;
      return {
        healthy,
        caughtUp,
        ...(saysRole ? { role: cluster.leader === name ? ("leader" as const) : ("follower" as const) } : {}),
      };
    },
    handover: async (peers) => {
      const { overruns } = luck();
      const isSlow = overruns > 0 && random.chance(overruns);
      await wait(isSlow ? random.int(1_000, 12_000) : random.int(20, 800));
      if (random.chance(luck().fails)) return fault("The handover hook failed.");
      if (cluster.leader !== name) return ok(undefined);
      const heir = peers.find((peer) => cluster.lead(peer.name));
      if (heir === undefined) return fault("There is nobody to take over.");
      world.tell(`hands leadership to ${heir.name}`);
      return ok(undefined);
    },
    drain: async (limitMs) => {
      const takes = random.chance(luck().overruns) ? limitMs + random.int(1, 8_000) : random.int(10, 1_500);
      await wait(takes);
      if (random.chance(luck().fails)) return fault("The drain hook failed.");
      leave();
      return ok(undefined);
    },
    resume: async () => {
      await wait(random.int(10, 500));
      serve();
      return random.chance(luck().fails) ? fault("The resume hook failed.") : ok(undefined);
    },
    start: async () => {
      await wait(random.int(5, 200));
      serve();
      return ok(undefined);
    },
    stop: async () => {
      await wait(random.int(5, 300));
      leave();
    },
  };
}
