/** One history as data: who is in the world, and what is done to it when. A seed makes one; it can be written down. */
import type { StateKind } from "../../agent/core/machine/state.ts";
import type { SessionMode } from "../../agent/session/session.ts";
import type { Manner } from "./builds.ts";
import type { StoreWeather } from "./database.ts";
import type { DiskTrouble } from "./disk.ts";
import type { Direction, Weather } from "./network.ts";
import type { StorageKind } from "./storage.ts";
import type { PowerCut } from "./tree.ts";

export type NodeSetup = {
  readonly name: string;
  readonly voter: boolean;
  readonly mode: SessionMode;
  readonly rate: number;
  readonly wallOff: number;
  readonly canHandOver: boolean;
  /** What it speaks; the newest unless told otherwise. */
  readonly protocol?: number;
};

export type GroupSetup = {
  readonly name: string;
  readonly mode: "quorum" | "independent";
  readonly hasRoles: boolean;
  readonly nodes: readonly NodeSetup[];
};

export type ReleaseSetup = {
  readonly version: string;
  readonly manner: Manner;
  readonly minVersion: string | null;
  readonly saysRole: boolean;
};

/** At an instant; or so long after any node (or that one) has entered a state for the nth time. */
export type When =
  | { readonly at: number }
  | {
      readonly node: string | null;
      readonly enters: StateKind;
      readonly nth: number;
      readonly afterMs: number;
    };

/** Which coordinator is meant: the one that decides, unless it is said otherwise. */
export type Replica = "seat" | "other";

export type RolloutAction = "pause" | "resume" | "cancel" | "retry" | "rollback";

/** Who is meant by a fault that was aimed: the node whose doing it follows. */
export const WHOEVER = "whoever";
/** Or another one of its group. */
export const ANOTHER = "another";

/** Something that is done to the world. */
export type Deed =
  | { readonly kind: "publish"; readonly release: ReleaseSetup }
  | {
      readonly kind: "rollout";
      readonly release: string;
      /** Null: all. */
      readonly groups: readonly string[] | null;
      readonly stages: readonly number[];
      readonly pauseMs: number | null;
      readonly onFailure: "halt" | "rollback";
      readonly offline: "halt" | "skip";
      readonly retry: boolean;
    }
  | { readonly kind: "tell-rollout"; readonly action: RolloutAction }
  | {
      readonly kind: "job";
      readonly node: string;
      readonly job: "update" | "rollback";
      readonly release: string | null;
      readonly retry: boolean;
    }
  | { readonly kind: "cancel-job"; readonly node: string }
  | { readonly kind: "break-lease"; readonly group: string }
  | { readonly kind: "remove-node"; readonly node: string }
  | { readonly kind: "freeze"; readonly group: string | null; readonly ms: number }
  | { readonly kind: "stop-unit"; readonly node: string; readonly ms: number }
  /** Leadership of its group moves, to whomever it likes. */
  | { readonly kind: "elect"; readonly node: string }
  | { readonly kind: "kill"; readonly node: string }
  | { readonly kind: "power"; readonly node: string; readonly how: PowerCut; readonly ms: number }
  | { readonly kind: "suspend"; readonly node: string; readonly ms: number }
  | { readonly kind: "hang"; readonly node: string; readonly ms: number }
  | { readonly kind: "vanish"; readonly node: string }
  | {
      readonly kind: "cut";
      readonly node: string;
      readonly direction: Direction | "both";
      readonly ms: number;
    }
  | { readonly kind: "weather"; readonly weather: Weather; readonly ms: number }
  | { readonly kind: "disk"; readonly node: string; readonly trouble: DiskTrouble; readonly ms: number }
  | { readonly kind: "slow-disk"; readonly node: string; readonly factor: number; readonly ms: number }
  | { readonly kind: "wall"; readonly node: string | null; readonly byMs: number }
  | { readonly kind: "hooks"; readonly fails: number; readonly overruns: number; readonly ms: number }
  | { readonly kind: "coordinator-crash"; readonly at?: Replica; readonly ms: number }
  | { readonly kind: "coordinator-sleep"; readonly at?: Replica; readonly ms: number }
  | { readonly kind: "coordinator-slow"; readonly at?: Replica; readonly factor: number; readonly ms: number }
  | { readonly kind: "database-weather"; readonly weather: StoreWeather; readonly ms: number }
  | { readonly kind: "database-cut"; readonly at: Replica | "all"; readonly ms: number }
  /** The lock is anybody's, and whoever had it has not heard of it. */
  | { readonly kind: "seat-freed" }
  /** Everybody is told to have the lock. */
  | { readonly kind: "seat-split"; readonly ms: number }
  | { readonly kind: "backup" }
  | { readonly kind: "restore"; readonly ms: number };

export type Act = { readonly when: When; readonly deed: Deed };

export type History = {
  readonly seed: number;
  readonly storage: StorageKind;
  /** Several coordinators by name, over one database; one over a file of its own where there are none. */
  readonly replicas?: readonly string[];
  readonly coordinatorRate: number;
  readonly groups: readonly GroupSetup[];
  /** When nothing more is done to anybody, and everything has to settle. */
  readonly untilMs: number;
  readonly acts: readonly Act[];
};

export const nodesOf = (history: History): readonly NodeSetup[] =>
  history.groups.flatMap(({ nodes }) => nodes);
