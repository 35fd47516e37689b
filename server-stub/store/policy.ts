/** What is kept of the fleet's policy and of channels. */
import type { OperatorRole } from "../../protocol/access.ts";
import type { ChannelName } from "../../protocol/names.ts";
import type { Channel, FleetPolicy } from "../../protocol/policy.ts";

/** An operator, as whom a rollout is started. */
export type Promoter = {
  readonly kind: "operator";
  readonly id: string;
  readonly name: string;
  readonly role: OperatorRole;
  readonly from: string;
};

export type ChannelRecord = Channel & {
  /** Who promoted it last, while the rollout that this is to start has not been asked for yet. */
  readonly startDue: Promoter | null;
};

/** Before anybody has changed it. */
export const FIRST_POLICY: FleetPolicy = { windows: [], freeze: null, rollout: {} };

export type PolicyChange =
  | { readonly kind: "policy"; readonly value: FleetPolicy; readonly expected: number }
  /** Writes nothing: the policy must still be what was read. */
  | { readonly kind: "same-policy"; readonly expected: number }
  | { readonly kind: "channel"; readonly value: ChannelRecord; readonly expected: number }
  | { readonly kind: "remove-channel"; readonly name: ChannelName; readonly expected: number };
