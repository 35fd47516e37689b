/** What is kept of the fleet's policy and of channels. */
import type { ChannelName } from "../../protocol/names.ts";
import type { Channel, FleetPolicy } from "../../protocol/policy.ts";

/** Before anybody has changed it. */
export const FIRST_POLICY: FleetPolicy = { windows: [], freeze: null, rollout: {} };

export type PolicyChange =
  | { readonly kind: "policy"; readonly value: FleetPolicy; readonly expected: number }
  /** Writes nothing: the policy must still be what was read. */
  | { readonly kind: "same-policy"; readonly expected: number }
  | { readonly kind: "channel"; readonly value: Channel; readonly expected: number }
  | { readonly kind: "remove-channel"; readonly name: ChannelName; readonly expected: number };
