import type { Reason } from "../../protocol/job.ts";
import type { FleetPolicy } from "../../protocol/policy.ts";
import type { EpochMs } from "../../protocol/time.ts";
import { gateOf } from "../core/window/gate.ts";
import type { GroupRecord } from "../store/records.ts";

/** Why nobody in a group may begin; of most groups, which have nothing of their own, it is reckoned once. */
export function gatesAt(fleet: FleetPolicy, now: EpochMs): (group: GroupRecord) => Reason | null {
  const gate = (group: GroupRecord): Reason | null => {
    const denied = gateOf(fleet, group, now);
    return denied === null ? null : { code: denied.code, message: denied.message };
  };
  let shared: Reason | null | undefined;
  return (group) => {
    if (group.windows !== null || group.freeze !== null) return gate(group);
    if (shared === undefined) shared = gate(group);
    return shared;
  };
}
