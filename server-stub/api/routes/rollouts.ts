import { RolloutId } from "../../../protocol/names.ts";
import { newestFirst, PageQuery, pageOf } from "../../../protocol/paging.ts";
import { ok } from "../../../protocol/result.ts";
import { Rollout, RolloutList, StartRolloutRequest } from "../../../protocol/rollout.ts";
import { Type } from "../../../protocol/schema.ts";
import type { Coordinator } from "../../service/coordinator.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";

const params = Type.Object({ rolloutId: RolloutId });

export const rolloutRoutes = ({ rollouts }: Pick<Coordinator, "rollouts">): readonly Endpoint[] => [
  endpoint({
    route: "GET /v1/rollouts",
    id: "listRollouts",
    summary: "The rollouts, newest first",
    callers: "operator",
    query: PageQuery,
    answer: RolloutList,
    handle: async ({ query }) => {
      const page = pageOf(await rollouts.list(), ({ createdAt, id }) => newestFirst(createdAt, id), query);
      return page.ok ? ok({ rollouts: page.value.items, next: page.value.next }) : page;
    },
  }),
  endpoint({
    route: "POST /v1/rollouts",
    id: "startRollout",
    summary: "Bring a group to a release, node by node; the newest release unless one is named",
    callers: "operator",
    body: StartRolloutRequest,
    answer: Rollout,
    status: 201,
    handle: ({ by, body }) => rollouts.start(by, body),
  }),
  endpoint({
    route: "GET /v1/rollouts/:rolloutId",
    id: "getRollout",
    summary: "One rollout with each of its nodes",
    callers: "operator",
    params,
    answer: Rollout,
    handle: ({ params }) => rollouts.get(params.rolloutId),
  }),
  endpoint({
    route: "POST /v1/rollouts/:rolloutId/cancel",
    id: "cancelRollout",
    summary: "Give no further turn; the node under way finishes, the rest stays untouched",
    callers: "operator",
    params,
    answer: Rollout,
    handle: ({ by, params }) => rollouts.cancel(by, params.rolloutId),
  }),
];
