import {
  BreakRequest,
  CancelRequest,
  CommitReply,
  CommitRequest,
  LeaseView,
  RenewReply,
  RenewRequest,
  ReserveReply,
  ReserveRequest,
} from "../../../protocol/lease.ts";
import { GroupName } from "../../../protocol/names.ts";
import type { Result } from "../../../protocol/result.ts";
import { Type } from "../../../protocol/schema.ts";
import type { Coordinator, Principal, Refusal } from "../../service/coordinator.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { ownGroup } from "../own.ts";

const params = Type.Object({ group: GroupName });

/** The lease of a group. A node asks for that of its own group alone. */
export const leaseRoutes = ({ leases }: Pick<Coordinator, "leases">): readonly Endpoint[] => [
  endpoint({
    route: "GET /v1/groups/:group/lease",
    id: "getLease",
    summary: "Who holds a group's lease",
    callers: "known",
    params,
    answer: LeaseView,
    handle: ({ by, params }) => own(by, params.group, () => leases.view(params.group)),
  }),
  endpoint({
    route: "POST /v1/groups/:group/lease/reserve",
    id: "reserveLease",
    summary: "Ask for leave to be disrupted; nothing irreversible may follow before the commit",
    callers: "node",
    params,
    body: ReserveRequest,
    answer: ReserveReply,
    handle: ({ by, params, body }) =>
      own(by, params.group, () => leases.reserve(by.nodeId, params.group, body)),
  }),
  endpoint({
    route: "POST /v1/groups/:group/lease/renew",
    id: "renewLease",
    summary: "Keep a reservation",
    callers: "node",
    params,
    body: RenewRequest,
    answer: RenewReply,
    handle: ({ by, params, body }) =>
      own(by, params.group, () => leases.renew(by.nodeId, params.group, body)),
  }),
  endpoint({
    route: "POST /v1/groups/:group/lease/commit",
    id: "commitLease",
    summary: "Leave to act, within the time that is answered; from here on the lease never expires",
    callers: "node",
    params,
    body: CommitRequest,
    answer: CommitReply,
    handle: ({ by, params, body }) =>
      own(by, params.group, () => leases.commit(by.nodeId, params.group, body)),
  }),
  endpoint({
    route: "POST /v1/groups/:group/lease/cancel",
    id: "cancelLease",
    summary: "Return a reservation",
    callers: "node",
    params,
    body: CancelRequest,
    answer: LeaseView,
    handle: ({ by, params, body }) =>
      own(by, params.group, () => leases.cancel(by.nodeId, params.group, body)),
  }),
  endpoint({
    route: "POST /v1/groups/:group/lease/break",
    id: "breakLease",
    summary: "End the record of a lease whose node is lost; the node counts as down until its last word",
    callers: "operator",
    params,
    body: BreakRequest,
    answer: LeaseView,
    handle: ({ by, params, body }) => leases.break(by, params.group, body),
  }),
];

async function own<T>(
  by: Principal,
  group: GroupName,
  act: () => Promise<Result<T, Refusal>>,
): Promise<Result<T, Refusal>> {
  const allowed = ownGroup(by, group);
  return allowed.ok ? act() : allowed;
}
