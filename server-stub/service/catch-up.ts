import type { NodeId } from "../../protocol/names.ts";
import { buildFor, catchUp, wantedFor } from "../core/desired.ts";
import { stateOf } from "../core/presence/presence.ts";
import { placeOf } from "../core/rollout/places.ts";
import { isActiveRollout, type RolloutRecord } from "../core/rollout/rollout.ts";
import type { Change, StoredNode } from "../store/records.ts";
import { attempt, type Decision } from "./attempt.ts";
import { audit, COORDINATOR } from "./audit.ts";
import { type Context, newId } from "./context.ts";
import { followed, isLeftToRollouts } from "./followed.ts";
import { isolated } from "./isolated.ts";
import { brief } from "./job-changes.ts";
import { newJob } from "./new-job.ts";
import { push } from "./push.ts";

/**
 * Gives a node that joined late, drifted, or lifted its own hold, a job to get to what its group should be on.
 * Rollouts come first.
 */
export async function catchUpNode(ctx: Context, nodeId: NodeId): Promise<void> {
  const opened = await attempt(ctx.store, () => decide(ctx, nodeId));
  if (opened) push(ctx, nodeId);
}

/** All nodes that were heard, of groups that have a release to be on. */
export async function catchUpAll(ctx: Context): Promise<void> {
  const groups = new Map((await ctx.store.groups()).map(({ value }) => [value.name, value]));
  const now = ctx.now();
  for (const { value: node } of await ctx.store.nodes()) {
    const { id: nodeId } = node;
    if (stateOf(ctx.live.presence(nodeId), ctx.timing, now) !== "online") continue;
    const group = groups.get(node.group);
    // Nobody has said what it should be on: so with most, and there may be thousands.
    if (group?.wanted === null && group.channel === null && node.placed === null) continue;
    await isolated(ctx, "catch-up", { nodeId }, () => catchUpNode(ctx, nodeId));
  }
}

async function decide(ctx: Context, nodeId: NodeId): Promise<Decision<boolean>> {
  const nothing = { changes: [], answer: false };
  const { store } = ctx;
  const node = await store.node(nodeId);
  if (node === null || node.value.membership !== "approved" || node.value.known === null) return nothing;
  const group = await store.group(node.value.group);
  if (group === null || (await isLeftToRollouts(ctx, node))) return nothing;
  const wanted = await wantedBuild(ctx, node);
  const runs = ctx.live.presence(nodeId)?.hello.build ?? node.value.known.build;
  const about = { runs, wanted, holdings: node.value.known.holdings };
  // Of nearly all nothing is wanted, whatever their last job came to: it is read of the others alone.
  if (catchUp(about, null, ctx.wall()) === null) return nothing;
  const last = await store.lastJob(nodeId);
  const target = catchUp(about, last?.value ?? null, ctx.wall());
  if (target === null || (await store.activeJob(nodeId)) !== null) return nothing;
  const rollouts = await store.unfinishedRollouts(node.value.group);
  if (rollouts.some(({ value }) => holds(value, node.value.group, nodeId))) return nothing;
  const job = newJob(ctx, node.value, {
    id: newId(ctx.random, "j"),
    kind: "update",
    cause: "catch-up",
    to: target,
  });
  const entry = audit(ctx, COORDINATOR, "job.queued", job.id, null, brief(job));
  const changes: Change[] = [
    // The node is written so that it is still what the job is opened for: in this group, and not revoked.
    { kind: "node", value: node.value, expected: node.revision },
    // A rollout that completes in between changes what its groups should be on.
    { kind: "same-group", name: group.value.name, expected: group.revision },
    { kind: "job", value: job, expected: 0 },
    entry,
  ];
  return { changes, answer: true };
}

/** Rollouts of a quorum group come first: while one is active in it, nobody of it is chased. */
const holds = (rollout: RolloutRecord, group: string, nodeId: NodeId): boolean => {
  const place = placeOf(rollout, nodeId);
  if (isActiveRollout(rollout)) return rollout.quorumGroups.includes(group) || place !== undefined;
  // Stopped while it was under way: where it belongs is written when the rollout notices how that ended.
  return place?.status === "updating";
};

/** The build that the node should run outside rollouts; null when nothing is wanted of it. */
export async function wantedBuild(ctx: Context, node: StoredNode) {
  const group = await ctx.store.group(node.value.group);
  const channel = group === null ? null : await followed(ctx, group.value);
  const release = wantedFor(group?.value.wanted ?? null, node.value.placed, channel);
  const platform = node.value.known?.platform ?? null;
  return buildFor(ctx.repository.releases().releases, release, platform);
}
