import type { Job } from "../../../protocol/job.ts";
import { GroupName, NodeId } from "../../../protocol/names.ts";
import { EditNodeRequest, JobStarted, Node, NodeList, UpdateNodeRequest } from "../../../protocol/node.ts";
import { pageOf, pageQuery } from "../../../protocol/paging.ts";
import { ok, type Result } from "../../../protocol/result.ts";
import { Type } from "../../../protocol/schema.ts";
import type { Coordinator, Refusal } from "../../service/coordinator.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { ownNode } from "../own.ts";

const params = Type.Object({ nodeId: NodeId });
const NodesQuery = Type.Object(
  { ...pageQuery, group: Type.Optional(GroupName) },
  { additionalProperties: false },
);

export const nodeRoutes = ({ nodes }: Pick<Coordinator, "nodes">): readonly Endpoint[] => [
  endpoint({
    route: "GET /v1/nodes",
    id: "listNodes",
    summary: "The nodes, by name; those of one group when asked",
    callers: "operator",
    query: NodesQuery,
    answer: NodeList,
    handle: async ({ query: { group, ...query } }) => {
      const all = await nodes.list(group === undefined ? {} : { group });
      const page = pageOf(all, ({ name, id }) => `${name} ${id}`, query);
      return page.ok ? ok({ nodes: page.value.items, next: page.value.next }) : page;
    },
  }),
  endpoint({
    route: "GET /v1/nodes/:nodeId",
    id: "getNode",
    summary: "One node: what is configured, and what was heard last",
    callers: "known",
    params,
    answer: Node,
    handle: async ({ by, params }) => {
      const own = ownNode(by, params.nodeId);
      return own.ok ? nodes.get(params.nodeId) : own;
    },
  }),
  endpoint({
    route: "PATCH /v1/nodes/:nodeId",
    id: "editNode",
    summary: "Change a node's group, vote or labels",
    callers: "operator",
    params,
    body: EditNodeRequest,
    answer: Node,
    handle: ({ by, params, body }) => nodes.edit(by, params.nodeId, body),
  }),
  endpoint({
    route: "DELETE /v1/nodes/:nodeId",
    id: "removeNode",
    summary: "Remove a node; this changes its group's membership and so the quorum",
    callers: "operator",
    params,
    answer: Node,
    handle: ({ by, params }) => nodes.remove(by, params.nodeId),
  }),
  endpoint({
    route: "POST /v1/nodes/:nodeId/approve",
    id: "approveNode",
    summary: "Let a pending node in",
    callers: "operator",
    params,
    answer: Node,
    handle: ({ by, params }) => nodes.approve(by, params.nodeId),
  }),
  endpoint({
    route: "POST /v1/nodes/:nodeId/revoke",
    id: "revokeNode",
    summary: "Take a node's credential away; it stays a member",
    callers: "operator",
    params,
    answer: Node,
    handle: ({ by, params }) => nodes.revoke(by, params.nodeId),
  }),
  endpoint({
    route: "POST /v1/nodes/:nodeId/update",
    id: "updateNode",
    summary: "Bring one node to its desired release; it takes the lease like any other",
    callers: "known",
    params,
    body: UpdateNodeRequest,
    answer: JobStarted,
    status: 202,
    handle: async ({ by, params, body }) => {
      const own = ownNode(by, params.nodeId);
      return own.ok ? started(await nodes.start(by, params.nodeId, "update", body)) : own;
    },
  }),
  endpoint({
    route: "POST /v1/nodes/:nodeId/rollback",
    id: "rollBackNode",
    summary: "Bring one node back to the build it ran before, and hold it there",
    callers: "known",
    params,
    answer: JobStarted,
    status: 202,
    handle: async ({ by, params }) => {
      const own = ownNode(by, params.nodeId);
      return own.ok ? started(await nodes.start(by, params.nodeId, "rollback", {})) : own;
    },
  }),
];

const started = (job: Result<Job, Refusal>): Result<JobStarted, Refusal> =>
  job.ok ? ok({ jobId: job.value.id }) : job;
