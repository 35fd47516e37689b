import type { JobId, NodeId } from "../../protocol/names.ts";
import type { JobRecord } from "../core/job/job.ts";
import type { LeaseRecord } from "../core/lease/record.ts";
import type { GroupView, LeaseView } from "../core/lease/view.ts";
import { newestOf } from "../core/presence/presence.ts";
import { placeOf } from "../core/rollout/places.ts";
import { isActiveRollout, type RolloutRecord } from "../core/rollout/rollout.ts";
import type { GroupRecord, Stored, StoredNode } from "../store/records.ts";
import type { Context } from "./context.ts";
import { readGroupView } from "./group-view.ts";
import { noTurn } from "./turn.ts";

/** What is stored about one node, its group's lease and its job, read together. */
export type Situation = {
  readonly node: StoredNode;
  readonly group: Stored<GroupRecord>;
  readonly lease: Stored<LeaseRecord>;
  readonly job: Stored<JobRecord> | null;
  /** The job's own. */
  readonly rollout: Stored<RolloutRecord> | null;
};

/** With the job of that id, or else the one that is active on the node. Null for nobody's node. */
export async function readSituation(ctx: Context, nodeId: NodeId, jobId?: JobId): Promise<Situation | null> {
  const { store } = ctx;
  const node = await store.node(nodeId);
  if (node === null) return null;
  const [group, lease, job] = await Promise.all([
    store.group(node.value.group),
    store.lease(node.value.group),
    jobId === undefined ? store.activeJob(nodeId) : store.job(jobId),
  ]);
  if (group === null || lease === null) throw new Error(`node ${nodeId} is in a group that does not exist`);
  const rolloutId = job?.value.rolloutId ?? null;
  const rollout = rolloutId === null ? null : await store.rollout(rolloutId);
  return { node, group, lease, job, rollout };
}

/** The active rollout of the group that has this node. */
export async function holdingRollout(ctx: Context, node: StoredNode): Promise<Stored<RolloutRecord> | null> {
  const rollouts = await ctx.store.unfinishedRollouts(node.value.group);
  const has = ({ value }: Stored<RolloutRecord>): boolean =>
    isActiveRollout(value) && placeOf(value, node.value.id) !== undefined;
  return rollouts.find(has) ?? null;
}

/** What the lease's rules are asked with, for this node and job. */
export async function leaseViewOf(ctx: Context, situation: Situation, job: JobRecord): Promise<LeaseView> {
  const { node, group } = situation;
  return leaseViewIn(
    ctx,
    situation,
    job,
    await readGroupView(ctx, group.value, job.acceptOutage, node.value),
  );
}

export function leaseViewIn(ctx: Context, situation: Situation, job: JobRecord, group: GroupView): LeaseView {
  const { node, rollout } = situation;
  const presence = ctx.live.presence(node.value.id);
  return {
    policy: ctx.leasePolicy,
    group,
    asker: {
      nodeId: node.value.id,
      jobId: job.id,
      from: presence?.hello.build ?? node.value.known?.build ?? null,
      to: job.to,
      newest: newestOf(presence),
      noTurn: noTurn(node.value, job, rollout?.value ?? null, ctx.leasePolicy.retryAfterMs),
    },
  };
}
