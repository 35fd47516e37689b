import type { AlertKind } from "../../protocol/alert.ts";
import type { Node } from "../../protocol/node.ts";
import type { RolloutStatus } from "../../protocol/rollout.ts";
import type { DurationMs, EpochMs } from "../../protocol/time.ts";

/** A node as far as it is counted. */
export type CountedNode = Pick<Node, "membership" | "presence" | "behind" | "hold"> & {
  /** Null when nobody knows what it runs. */
  readonly version: string | null;
  /** Of its update machine; null before it has said any. */
  readonly state: string | null;
  readonly quarantines: boolean;
};

/** The fleet at one instant, as far as it is counted. */
export type Census = {
  readonly nodes: readonly CountedNode[];
  readonly sessions: { readonly websocket: number; readonly http: number };
  readonly leases: readonly {
    readonly phase: "reserved" | "in-flight" | "broken";
    readonly ageMs: DurationMs;
  }[];
  /** Of rollouts that are not over, or ended early with somebody still under way. */
  readonly rollouts: readonly RolloutStatus[];
  readonly openAlerts: readonly { readonly kind: AlertKind; readonly count: number }[];
  readonly expiries: readonly { readonly role: string; readonly expires: string }[];
  /** Null before the first backup. */
  readonly backedUpAt: EpochMs | null;
};
