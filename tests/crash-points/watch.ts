/** What a node is between two processes, and who may look on while it lives. */
import type { Disk } from "../../agent/effects/disk.ts";
import type { RigCoordinator } from "../agent/rig-coordinator.ts";
import type { Effect } from "./effect.ts";
import type { Fixture } from "./fixture.ts";
import type { Guard, GuardFault } from "./guard.ts";
import type { BareDisk } from "./interpose.ts";
import type { Node } from "./node.ts";
import type { Story } from "./story.ts";
import type { Unsynced } from "./unsynced.ts";

export type Who = "agent" | "guard";

/** A node at one moment between two processes. */
export type NodeState = {
  readonly disk: Unsynced;
  readonly coordinator: RigCoordinator;
  readonly bootId: string;
  /** Time since that boot, as its clock shows. */
  readonly uptime: number;
  /** Of builds that are stopped: how often they were. */
  readonly stops: number;
};

/** Looks on. */
export type Watch = {
  /** A disk that is not as careful as the agent asks it to be. */
  mutate?(disk: Disk, dir: string): Disk;
  /** Before an effect; whatever it throws is what the agent gets instead of the effect, or after the half of a write. */
  before?(node: Node, effect: Effect, who: Who): void;
  /** Before the guard: how the disk fails it. */
  beforeGuard?(node: Node): GuardFault | null;
  /** Whenever the clock is turned in a life, and how often it was; true kills the process. */
  kills?(node: Node, turns: number): boolean;
  /** Before each process; false when all that follows is known, and need not be lived once more. */
  begins?(node: Node): boolean;
  /** After each effect, and after the coordinator has heard something new (`null`). */
  after?(node: Node, effect: Effect | null, who: Who): void;
};

/** What it lives on. */
export type Ground = {
  readonly disk: BareDisk;
  /** Calls of it that have begun and not ended. */
  readonly underWay: () => number;
  /** When there are none. */
  readonly idle: () => Promise<void>;
};

export type NodeParts = {
  readonly fixture: Fixture;
  readonly story: Story;
  readonly dir: string;
  readonly guard: Guard;
  readonly watch: Watch;
  /** With one, what lies in `dir` already is what it begins with. Otherwise it is laid out there. */
  readonly ground?: Ground;
};
