/** Starts a rollout: plans it as a dry run would, in the same attempt that writes it. */
import type { RolloutId } from "../../protocol/names.ts";
import { ok, type Result } from "../../protocol/result.ts";
import type { StartRolloutRequest } from "../../protocol/rollout.ts";
import { cancelJob } from "../core/job/outcome.ts";
import { placeOf } from "../core/rollout/places.ts";
import type { RolloutRecord } from "../core/rollout/rollout.ts";
import { beginRollout } from "../core/rollout/snapshot.ts";
import type { Change } from "../store/records.ts";
import { attempt, type Decision } from "./attempt.ts";
import { actorOf, audit } from "./audit.ts";
import { type Context, newId } from "./context.ts";
import type { Principal, Refusal } from "./coordinator.ts";
import { jobChanges } from "./job-changes.ts";
import { type PlanRead, readPlan } from "./plan.ts";
import { denyByChecks, denyChanged } from "./plan-refusals.ts";
import { refuse } from "./refusals.ts";
import { rolloutNotice } from "./webhooks/rollout-notice.ts";

/**
 * Written, and not yet run. Refusals: what cannot be planned (see `readPlan`), `plan-changed` for a plan that was agreed
 * to and is another by now, and the first check that refuses: `rollout-active`, `already-up-to-date`,
 * `no-build-for-platform`, `wrong-engine`, `wrong-protocol`, `below-floor`, `node-offline`, `node-unhealthy`,
 * `update-in-progress`, `lease-held`, `accept-outage-needed`, `quorum`.
 */
export const startRollout = (ctx: Context, ...asked: Asked): Promise<Result<RolloutRecord, Refusal>> =>
  attempt(ctx.store, () => decide(ctx, ...asked));

/** Who asks for what, and what else is to be written in the same go: `also` answers null when it is not to start after all. */
export type Asked = [
  by: Principal,
  request: StartRolloutRequest,
  also?: (rollout: RolloutId) => Promise<readonly Change[] | null>,
];

async function decide(
  ctx: Context,
  ...[by, request, also]: Asked
): Promise<Decision<Result<RolloutRecord, Refusal>>> {
  const read = await readPlan(ctx, request);
  if (!read.ok) return { changes: [], answer: read };
  const denied = denyChanged(ctx, read.value, request.planHash) ?? denyByChecks(ctx, read.value);
  if (denied !== null) return { changes: [], answer: denied };
  const rollout = begun(ctx, by, request, read.value);
  const more = also === undefined ? [] : await also(rollout.id);
  if (more === null) return { changes: [], answer: refuse("conflict", "It is not to be started any more.") };
  const said = {
    release: rollout.release,
    selection: rollout.selection,
    policy: rollout.policy,
    nodes: rollout.nodes.length,
    acceptOutage: rollout.acceptOutage,
    allowUnhealthy: rollout.allowUnhealthy,
    retry: request.retry === true,
    planHash: rollout.planHash,
    agreed: request.planHash !== undefined,
  };
  const changes: Change[] = [
    // Its groups are written so that two rollouts cannot start beside each other, nor a group change meanwhile.
    ...read.value.groups.map(({ value, revision }): Change => ({ kind: "group", value, expected: revision })),
    { kind: "rollout", value: rollout, expected: 0 },
    ...(await supersede(ctx, rollout, actorOf(by))),
    audit(ctx, actorOf(by), "rollout.started", rollout.id, null, said),
    ...rolloutNotice(ctx, rollout, "started"),
    ...more,
  ];
  return { changes, answer: ok(rollout) };
}

function begun(
  ctx: Context,
  by: Principal,
  request: StartRolloutRequest,
  { plan, draft, groups }: PlanRead,
): RolloutRecord {
  const { acceptOutage, allowUnhealthy, retry } = draft.request;
  return beginRollout(
    {
      id: newId(ctx.random, "r"),
      kind: "update",
      release: plan.release,
      rollbackOf: null,
      selection: request.selection,
      policy: plan.policy,
      quorumGroups: groups.filter(({ value }) => value.mode === "quorum").map(({ value }) => value.name),
      acceptOutage,
      allowUnhealthy: [...allowUnhealthy],
      retry,
      planHash: plan.hash,
      perNodeMs: plan.estimate?.perNodeMs ?? null,
      startedBy: by.kind === "operator" ? by.name : by.nodeId,
      createdAt: ctx.wall(),
    },
    draft.ordered.nodes.map(({ node }) => ({ ...node, from: node.node.known?.build ?? null })),
    draft.skips.map(({ node: { id, name, group, known }, reason }) => ({
      nodeId: id,
      name,
      group,
      from: known?.build ?? null,
      to: null,
      reason,
    })),
  );
}

/** Jobs of its nodes that hold no lease make way; one that does is waited for. */
async function supersede(
  ctx: Context,
  rollout: RolloutRecord,
  by: { readonly actor: string; readonly from: string },
): Promise<Change[]> {
  const holders = new Set(
    (await ctx.store.busyLeases()).flatMap(({ value }) => value.holders.map((holder) => holder.nodeId)),
  );
  const jobs = (await ctx.store.activeJobs()).filter(
    ({ value }) => placeOf(rollout, value.nodeId) !== undefined && !holders.has(value.nodeId),
  );
  const reason = {
    code: "superseded",
    message: `Rollout ${rollout.id} of ${rollout.release} has taken its place.`,
  };
  return jobs.flatMap((job) => jobChanges(ctx, job, cancelJob(job.value, reason, ctx.wall()), by));
}
