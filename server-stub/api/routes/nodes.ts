import type { Job } from "../../../protocol/job.ts";
import { GroupName, NodeId } from "../../../protocol/names.ts";
import {
  EditNodeRequest,
  JobStarted,
  Node,
  NodeList,
  RemovalPreview,
  UpdateNodeRequest,
} from "../../../protocol/node.ts";
import { pageQuery } from "../../../protocol/paging.ts";
import { ok, type Result } from "../../../protocol/result.ts";
import { Type } from "../../../protocol/schema.ts";
import type { Coordinator, Refusal } from "../../service/coordinator.ts";
import { nodeTag } from "../../service/tags.ts";
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
      const page = await nodes.page(group === undefined ? {} : { group }, query);
      return page.ok ? ok({ nodes: [...page.value.items], next: page.value.next }) : page;
    },
  }),
  endpoint({
    route: "GET /v1/nodes/:nodeId",
    id: "getNode",
    summary: "One node: what is configured, and what was heard last",
    callers: "known",
    params,
    answer: Node,
    etag: nodeTag,
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
    etag: nodeTag,
    handle: ({ by, params, body, ifMatch }) => nodes.edit(by, params.nodeId, body, ifMatch),
  }),
  endpoint({
    route: "DELETE /v1/nodes/:nodeId",
    id: "removeNode",
    summary: "Remove a node; this changes its group's membership and so the quorum",
    callers: "operator",
    params,
    answer: Node,
    etag: nodeTag,
    handle: ({ by, params, ifMatch }) => nodes.remove(by, params.nodeId, ifMatch),
  }),
  endpoint({
    route: "GET /v1/nodes/:nodeId/removal",
    id: "previewRemoval",
    summary: "What removing a node would do to its group's quorum; nothing is changed",
    callers: "operator",
    params,
    answer: RemovalPreview,
    handle: ({ params }) => nodes.removal(params.nodeId),
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
    route: "POST /v1/nodes/:nodeId/reject",
    id: "rejectNode",
    summary: "Turn a pending node away: it is removed, and its credential with it",
    callers: "operator",
    params,
    answer: Node,
    handle: ({ by, params }) => nodes.reject(by, params.nodeId),
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
    summary: "Bring one node to a release, its desired one unless told; it takes the lease like any other",
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
  endpoint({
    route: "POST /v1/nodes/:nodeId/diagnose",
    id: "diagnoseNode",
    summary:
      "Let a node look at itself: what `agent doctor` finds goes into the job's log; it needs no lease",
    callers: "operator",
    params,
    answer: JobStarted,
    status: 202,
    handle: async ({ by, params }) => started(await nodes.start(by, params.nodeId, "diagnose", {})),
  }),
];

export const started = (job: Result<Job, Refusal>): Result<JobStarted, Refusal> =>
  job.ok ? ok({ jobId: job.value.id }) : job;
