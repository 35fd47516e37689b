/** A scenario: a fleet to begin with, and what is done to it and seen of it, in order. */

import type { GroupSetup, NodeSetup } from "../simulation/history.ts";
import type { StorageKind } from "../simulation/storage.ts";
import type { WorldOptions } from "../simulation/world.ts";
import type { Play } from "./play.ts";

export type Fleet = {
  readonly groups: readonly GroupSetup[];
  readonly storage?: StorageKind;
  readonly services?: WorldOptions["services"];
  /** Several coordinators by name, over one store. */
  readonly replicas?: readonly string[];
};

/** `name` completes the sentence that `topic` begins. */
export type Scenario = {
  readonly topic: string;
  readonly name: string;
  readonly fleet: Fleet;
  readonly story: (it: Play) => Promise<void>;
};

/** Those of one topic, as `[name, fleet, story]`. */
export const about = (
  topic: string,
  scenarios: readonly (readonly [name: string, fleet: Fleet, story: Scenario["story"]])[],
): readonly Scenario[] => scenarios.map(([name, fleet, story]) => ({ topic, name, fleet, story }));

const node = (name: string, voter: boolean): NodeSetup => ({
  name,
  voter,
  mode: "websocket",
  rate: 1,
  wallOff: 0,
  canHandOver: false,
});

/** Three voters or more that share a quorum: `db-1`, `db-2`, `db-3`. */
export const quorum = (name = "db", voters = 3): GroupSetup => ({
  name,
  mode: "quorum",
  hasRoles: false,
  nodes: Array.from({ length: voters }, (_, at) => node(`${name}-${at + 1}`, true)),
});

/** The same with a leader, which can hand its leadership over. */
export const led = (name = "db", voters = 3): GroupSetup => ({
  ...quorum(name, voters),
  hasRoles: true,
  nodes: quorum(name, voters).nodes.map((voter) => ({ ...voter, canHandOver: true })),
});

/** Every node stands for itself: `web-1`, `web-2` … */
export const independent = (count: number, name = "web"): GroupSetup => ({
  name,
  mode: "independent",
  hasRoles: false,
  nodes: Array.from({ length: count }, (_, at) => node(`${name}-${at + 1}`, false)),
});

/** Looked after by two coordinators. */
export const ofTwo = (...groups: readonly GroupSetup[]): Fleet => ({ groups, replicas: ["east", "west"] });

export const fleet = (...groups: readonly GroupSetup[]): Fleet => ({ groups });

export const seconds = (count: number): number => count * 1_000;
export const minutes = (count: number): number => count * 60_000;
export const hours = (count: number): number => count * 3_600_000;
