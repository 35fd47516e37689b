/** One history as data: who is in the world, and what is done to them when. A seed makes one; it can be written down. */
import type { SessionMode } from "../../agent/session/session.ts";
import type { Manner } from "./builds.ts";
import type { StorageKind } from "./storage.ts";

export type NodeSetup = {
  readonly name: string;
  readonly voter: boolean;
  readonly mode: SessionMode;
  readonly rate: number;
  readonly wallOff: number;
  readonly canHandOver: boolean;
};

export type GroupSetup = {
  readonly name: string;
  readonly mode: "quorum" | "independent";
  readonly hasRoles: boolean;
  readonly nodes: readonly NodeSetup[];
};

export type ReleaseSetup = { readonly version: string; readonly manner: Manner; readonly minVersion: string | null };

/** Something that is done to the world at one instant. */
export type Act = { readonly at: number } & (
  | { readonly kind: "publish"; readonly release: ReleaseSetup }
  | { readonly kind: "rollout"; readonly release: string; readonly groups: readonly string[] }
);

export type History = {
  readonly seed: number;
  readonly storage: StorageKind;
  readonly coordinatorRate: number;
  readonly groups: readonly GroupSetup[];
  /** When nothing more is done to anybody. */
  readonly untilMs: number;
  readonly acts: readonly Act[];
};
