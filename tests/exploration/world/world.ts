/**
 * The small world: a group of three voters, their disks, the coordinator and the network between them, as one value.
 * Every step (`steps.ts`) makes another; nothing here is changed in place, so that a search can hold millions.
 *
 * Real are: the update machine and `recover` of the agent, the lease, presence, confirm and job outcome of the
 * coordinator. Played here are what is around them: the shell that carries out commands, the disk, the guard (a twin
 * that `guard-twin.test.ts` holds against the real one), systemd, and the glue of the coordinator's services.
 */
import type { Journal, Placed, Swap, Verdict } from "../../../agent/core/journal.ts";
import type { Command, CommandOf, NewQuarantine } from "../../../agent/core/machine/command.ts";
import type { Event } from "../../../agent/core/machine/event.ts";
import type { Machine } from "../../../agent/core/machine/transition.ts";
import type { Heartbeat, Hello, NodeHoldings } from "../../../protocol/frames.ts";
import type { QuarantineEntry } from "../../../protocol/journal.ts";
import type { InstanceId } from "../../../protocol/names.ts";
import type { DurationMs, EpochMs, UptimeMs } from "../../../protocol/time.ts";
import type { JobRecord } from "../../../server-stub/core/job/job.ts";
import type { LeaseRecord } from "../../../server-stub/core/lease/record.ts";
import type { Presence } from "../../../server-stub/core/presence/presence.ts";

/** A node by its place in the world: 0 is a, 1 is b, 2 is c. */
export type NodeIndex = number;

export type World = {
  /** The coordinator's steady clock. A node's uptime is the same clock, less what it has lost (`lagMs`). */
  readonly now: EpochMs;
  readonly nodes: readonly Node[];
  readonly hub: Hub;
  /** Messages that are late: out of their place, to arrive at any time, or never. */
  readonly wire: readonly Held[];
  /** How often each kind of misfortune may still strike. */
  readonly left: Faults;
  /** Who leads the group's workload; null while nobody does. Always null where roles are not played. */
  readonly leader: NodeIndex | null;
  /** Makes names that were never used before. */
  readonly serial: number;
};

export type Faults = {
  /** A process ends in the middle of whatever it does. */
  readonly crash: number;
  /** A message leaves its place: it comes later, after others, or never. */
  readonly late: number;
  /** A message comes twice. */
  readonly copy: number;
  /** The coordinator restarts. */
  readonly restart: number;
  /** A backup of the coordinator's store is made, and put back later. */
  readonly backup: number;
  readonly restore: number;
  /** An operator breaks a lease, removes a node, stops a unit. */
  readonly break: number;
  readonly remove: number;
  readonly stop: number;
  /** A session ends although nobody has gone. */
  readonly cut: number;
  /** Some time passes, less than a reservation lasts. */
  readonly pause: number;
  /** Time passes while one node sleeps in the middle of its work, or is not heard. */
  readonly sleep: number;
  /** The gate of the group closes, or opens. */
  readonly gate: number;
  /** Leadership moves by itself. */
  readonly elect: number;
  /** A hook fails. */
  readonly hook: number;
};

export type Node = {
  readonly disk: StateDir;
  readonly process: Process | null;
  /** Of the group; a removed node is of no more interest. */
  readonly member: boolean;
  readonly lagMs: DurationMs;
};

/** `/var/lib/baton-agent`, as far as updates are concerned. */
export type StateDir = {
  readonly journal: Journal;
  readonly dist: Placed;
  readonly backup: Placed | null;
  readonly trial: Trial | null;
  readonly quarantine: readonly QuarantineEntry[];
  readonly verdict: Verdict | null;
};

/** `state/trial/`. Its ready entry and verdict are null once the guard has moved them into place. */
export type Trial = {
  readonly swap: Swap;
  readonly since: UptimeMs;
  readonly tries: number;
  readonly refunds: number;
  readonly hasBack: boolean;
  readonly entry: NewQuarantine | null;
  readonly verdict: Verdict | null;
  readonly ready: boolean;
  readonly stopRequested: boolean;
  /** The agent has told the guard that this start may take as long as it takes. */
  readonly unhurried: boolean;
};

/** One process of the agent, and what it has asked of its shell and not been answered yet. */
export type Process = {
  readonly instance: InstanceId;
  readonly machine: Machine;
  readonly startedAt: UptimeMs;
  /** Number of the last message in its session. */
  readonly seq: number;
  /** Effects on the disk, in their order, and hooks in theirs. */
  readonly tasks: readonly Command[];
  readonly hooks: readonly Hook[];
  readonly calls: readonly Call[];
  /** `dist.bak` is flipped and `dist` is not yet. */
  readonly halfFlipped: boolean;
  /** Time has passed while it was at work: others are not kept waiting for it any more. */
  readonly slow: boolean;
};

export type Hook = CommandOf<"hand-over" | "drain" | "resume">;
export type LeaseCommand = CommandOf<"reserve" | "renew" | "commit" | "cancel">;

/** A request of the lease API. `sent`: it has left its place, and its answer may never come. */
export type Call = { readonly command: LeaseCommand; readonly sent: boolean };

/** A message that is late. Those to the coordinator carry what the node is told in answer back to the process. */
export type Held =
  | { readonly kind: "hello"; readonly node: NodeIndex; readonly instance: InstanceId; readonly frame: Hello }
  | { readonly kind: "heartbeat"; readonly node: NodeIndex; readonly frame: Heartbeat }
  | {
      readonly kind: "request";
      readonly node: NodeIndex;
      readonly instance: InstanceId;
      readonly command: LeaseCommand;
    }
  | {
      readonly kind: "answer";
      readonly node: NodeIndex;
      readonly instance: InstanceId;
      readonly event: Event;
    }
  /** Not filtered by session, as the real shell does: the machine has to hold without. */
  | { readonly kind: "orders"; readonly node: NodeIndex; readonly event: Event };

/** The coordinator: what it stores, and what lives in its memory. */
export type Hub = {
  readonly lease: LeaseRecord;
  /** The newest job of each node. */
  readonly jobs: readonly (JobRecord | null)[];
  readonly known: readonly (Known | null)[];
  readonly epoch: number;
  readonly isOpen: boolean;
  readonly presence: readonly (Presence | undefined)[];
  readonly startedAt: EpochMs;
  readonly backup: Backup | null;
  /** Highest token that was ever given, whatever was forgotten since: only the checks look at it. */
  readonly given: number;
};

/** What is stored of a node besides its job. */
export type Known = { readonly holdings: NodeHoldings; readonly reportsRole: boolean };

export type Backup = Pick<Hub, "lease" | "jobs" | "known">;

export const NODE_IDS = ["n-00000000000a", "n-00000000000b", "n-00000000000c"] as const;
export const idOf = (node: NodeIndex): string => NODE_IDS[node] ?? "n-00000000000z";
export const nameOf = (node: NodeIndex): string => "abc"[node] ?? "?";

export const nodeAt = (world: World, at: NodeIndex): Node => {
  const node = world.nodes[at];
  if (node === undefined) throw new Error(`there is no node ${at}`);
  return node;
};

export const withNode = (world: World, at: NodeIndex, change: Partial<Node>): World => ({
  ...world,
  nodes: world.nodes.map((node, index) => (index === at ? { ...node, ...change } : node)),
});

export const withProcess = (world: World, at: NodeIndex, change: Partial<Process>): World => {
  const { process } = nodeAt(world, at);
  return process === null ? world : withNode(world, at, { process: { ...process, ...change } });
};

export const withDisk = (world: World, at: NodeIndex, change: Partial<StateDir>): World =>
  withNode(world, at, { disk: { ...nodeAt(world, at).disk, ...change } });

export const withHub = (world: World, change: Partial<Hub>): World => ({
  ...world,
  hub: { ...world.hub, ...change },
});

/** Takes one misfortune of a kind; null when there is none left. */
export const spend = (world: World, kind: keyof Faults): World | null =>
  world.left[kind] === 0 ? null : { ...world, left: { ...world.left, [kind]: world.left[kind] - 1 } };

/** Something in a list of the world's, replaced. */
export const replaced = <T>(list: readonly T[], at: number, value: T): readonly T[] =>
  list.map((each, index) => (index === at ? value : each));
