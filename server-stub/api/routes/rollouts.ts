import { RolloutId } from "../../../protocol/names.ts";
import { newestFirst, PageQuery, pageOf } from "../../../protocol/paging.ts";
import { RolloutPlan } from "../../../protocol/plan.ts";
import { ok } from "../../../protocol/result.ts";
import { Rollout, RolloutList, StartRolloutRequest } from "../../../protocol/rollout.ts";
import { Type } from "../../../protocol/schema.ts";
import type { Coordinator } from "../../service/coordinator.ts";
import { type Endpoint, endpoint, variedEndpoint } from "../endpoint.ts";

const params = Type.Object({ rolloutId: RolloutId });
const DryRunQuery = Type.Object({ dryRun: Type.Optional(Type.Boolean()) }, { additionalProperties: false });

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
  variedEndpoint({
    route: "POST /v1/rollouts",
    id: "startRollout",
    summary:
      "Bring nodes to a release, group by group in stages; the newest release unless one is named. With dryRun: what it would do, and whether it would be refused",
    callers: "operator",
    query: DryRunQuery,
    body: StartRolloutRequest,
    answers: { 200: RolloutPlan, 201: Rollout },
    handle: async ({ by, query, body }) => {
      if (query.dryRun === true) {
        const planned = await rollouts.plan(body);
        return planned.ok ? ok({ status: 200, body: planned.value }) : planned;
      }
      const started = await rollouts.start(by, body);
      return started.ok ? ok({ status: 201, body: started.value }) : started;
    },
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
  ...ACTIONS.map(([name, id, summary]) =>
    endpoint({
      route: `POST /v1/rollouts/:rolloutId/${name}`,
      id,
      summary,
      callers: "operator",
      params,
      answer: Rollout,
      handle: ({ by, params }) => rollouts[name](by, params.rolloutId),
    }),
  ),
];

/** Each may be repeated; in a state that does not allow it, it is refused with that state. */
const ACTIONS = [
  ["pause", "pauseRollout", "Give no further turn until it is resumed; who holds a lease finishes"],
  ["resume", "resumeRollout", "Go on with a rollout that is paused"],
  ["cancel", "cancelRollout", "Give no further turn; the node under way finishes, the rest stays untouched"],
  ["retry", "retryRollout", "Begin who failed anew; holds and quarantines are lifted"],
  [
    "rollback",
    "rollBackRollout",
    "Bring every node that it moved back to what it ran before, by a rollout of its own",
  ],
] as const;
