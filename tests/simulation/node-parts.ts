/** What a machine is made of, and what systemd starts on it. */
import type { SessionMode } from "../../agent/session/session.ts";
import type { AgentProcess } from "./agent-process.ts";
import type { Builds, SimBuild } from "./builds.ts";
import type { CoordinatorMachine } from "./coordinator.ts";
import { type GuardWorld, guardDeadline, guardStart, guardStop } from "./guard.ts";
import type { Network } from "./network.ts";
import type { Random } from "./random.ts";
import type { Story } from "./story.ts";
import type { Time } from "./time.ts";
import type { Cluster, HookLuck } from "./workload.ts";

export const ROOT = "/var/lib/baton-agent";

export type NodeParts = {
  readonly time: Time;
  readonly network: Network;
  /** Where the coordinator's address leads right now. */
  readonly coordinator: () => CoordinatorMachine;
  readonly builds: Builds;
  readonly story: Story;
  readonly random: Random;
  readonly name: string;
  readonly cluster: Cluster;
  readonly mode: SessionMode;
  readonly rate: number;
  readonly wallOff: number;
  readonly canHandOver: boolean;
  readonly protocol?: number;
  readonly runs: SimBuild;
  readonly luck: () => HookLuck;
  readonly guard: Guard;
  readonly wentWrong: (who: string, message: string, fields: object) => void;
  /** Its update machine has come to this state, at a start or by a transition. */
  readonly entered: (node: string, state: string) => void;
  /** Something that a history may or may not have. */
  readonly count: (what: string) => void;
};

/** What runs before a start, when systemd stops the unit, and from the timer. */
export type Guard = {
  readonly start: (world: GuardWorld) => Promise<void>;
  readonly stop: (world: GuardWorld) => Promise<void>;
  readonly deadline: typeof guardDeadline;
};
export const GUARD: Guard = { start: guardStart, stop: guardStop, deadline: guardDeadline };

/** What systemd has started, from the guard on. `id` tells one from the next. */
export type Life = {
  readonly id: number;
  alive: boolean;
  /** The process takes no part in anything, and is not dead. */
  process: AgentProcess | null;
  instanceId: string | null;
  build: SimBuild | null;
  readonly endings: (() => void)[];
};
