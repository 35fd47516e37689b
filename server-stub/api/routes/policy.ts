import { Group } from "../../../protocol/group.ts";
import { GroupName } from "../../../protocol/names.ts";
import { EditFleetPolicyRequest, FleetPolicy, FreezeRequest } from "../../../protocol/policy.ts";
import { Type } from "../../../protocol/schema.ts";
import type { Coordinator } from "../../service/coordinator.ts";
import { policyTag } from "../../service/tags.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";

const params = Type.Object({ group: GroupName });

export const policyRoutes = ({
  policy,
  groups,
}: Pick<Coordinator, "policy" | "groups">): readonly Endpoint[] => [
  endpoint({
    route: "GET /v1/policy",
    id: "getPolicy",
    summary: "The fleet's windows and freeze, and what a rollout takes when it is not told otherwise",
    callers: "operator",
    answer: FleetPolicy,
    etag: policyTag,
    handle: () => policy.get(),
  }),
  endpoint({
    route: "PATCH /v1/policy",
    id: "editPolicy",
    summary: "Change the fleet's windows or its policy for rollouts; what is absent stays",
    callers: "operator",
    body: EditFleetPolicyRequest,
    answer: FleetPolicy,
    etag: policyTag,
    handle: ({ by, body, ifMatch }) => policy.edit(by, body, ifMatch),
  }),
  endpoint({
    route: "POST /v1/policy/freeze",
    id: "freezeFleet",
    summary: "Nobody begins to be disrupted until it is lifted; what is in flight finishes",
    callers: "operator",
    body: FreezeRequest,
    answer: FleetPolicy,
    handle: ({ by, body }) => policy.freeze(by, body),
  }),
  endpoint({
    route: "POST /v1/policy/unfreeze",
    id: "unfreezeFleet",
    summary: "Lift the fleet's freeze; those of single groups stay",
    callers: "operator",
    answer: FleetPolicy,
    handle: ({ by }) => policy.unfreeze(by),
  }),
  endpoint({
    route: "POST /v1/groups/:group/freeze",
    id: "freezeGroup",
    summary: "Nobody in the group begins to be disrupted until it is lifted; what is in flight finishes",
    callers: "operator",
    params,
    body: FreezeRequest,
    answer: Group,
    handle: ({ by, params, body }) => groups.freeze(by, params.group, body),
  }),
  endpoint({
    route: "POST /v1/groups/:group/unfreeze",
    id: "unfreezeGroup",
    summary: "Lift the group's own freeze; the fleet's stays",
    callers: "operator",
    params,
    answer: Group,
    handle: ({ by, params }) => groups.unfreeze(by, params.group),
  }),
];
