import type { Node } from "../../protocol/node.ts";
import type { Channel } from "../../protocol/policy.ts";
import {
  buildFor,
  isBehind,
  refusesUnasked,
  waitsForRollout,
  wantedByChannel,
  wantedFor,
} from "../core/desired.ts";
import { isActive, type JobRecord } from "../core/job/job.ts";
import { type LeaseRecord, mayBeDown } from "../core/lease/record.ts";
import { ailment, holdingsOf, stateOf } from "../core/presence/presence.ts";
import { placeOf } from "../core/rollout/places.ts";
import { isActiveRollout, type RolloutRecord } from "../core/rollout/rollout.ts";
import type { GroupRecord, NodeRecord, StoredNode } from "../store/records.ts";
import type { Context } from "./context.ts";
import { type Published, readPublished } from "./releases.ts";

/** What else is stored that a node is shown with. */
export type Around = {
  readonly published: Published;
  readonly group: GroupRecord;
  readonly lease: LeaseRecord;
  readonly job: JobRecord | null;
  /** The channel that its group follows. */
  readonly channel: Channel | null;
  /** The active rollout of its group that has it. */
  readonly rollout: RolloutRecord | null;
};

/** A node as the API shows it: what is configured, and what was heard last. */
export function showNode(ctx: Context, { value: node, lastSeenAt }: StoredNode, around: Around): Node {
  const presence = ctx.live.presence(node.id);
  const heard = presence?.heartbeat == null ? null : presence;
  const known = heard === null ? node.known : { ...heard.hello, holdings: holdingsOf(heard) };
  const { job, rollout, group, lease } = around;
  const { releases } = around.published;
  const follows = wantedByChannel(around.channel, group.followsSince);
  const wanted = wantedOf(node, around);
  const platform = known?.platform ?? null;
  const target = buildFor(releases, wanted, platform);
  const latest = around.channel?.release ?? around.published.newestFor(platform);
  const behind = isBehind(known?.build ?? null, target);
  const now = ctx.now();
  const state = stateOf(presence, ctx.timing, now);
  const isWell = node.client !== undefined || ailment(presence, ctx.timing, now) === null;
  const serving = isWell && !mayBeDown(lease, node.id);
  return {
    id: node.id,
    name: node.name,
    group: node.group,
    voter: node.voter,
    labels: node.labels,
    membership: node.membership,
    presence: node.client === undefined ? state : "unknown",
    lastSeenAt: ctx.live.get(node.id).unwrittenSeenAt ?? lastSeenAt,
    address: ctx.live.get(node.id).address ?? node.address ?? null,
    platform: known?.platform ?? null,
    build: known?.build ?? null,
    backup: known?.holdings.backup ?? null,
    hold: known?.holdings.hold ?? false,
    quarantine: known?.holdings.quarantine ?? [],
    health: heard?.heartbeat?.health ?? null,
    serving: serving && node.membership === "approved",
    journal: heard?.heartbeat?.journal ?? null,
    update: heard?.heartbeat?.update ?? null,
    desired: wanted,
    latest,
    outdated: isBehind(known?.build ?? null, buildFor(releases, latest, platform)),
    behind,
    jobId: job?.id ?? null,
    reason:
      reasonOf(node.membership, around, known?.holdings ?? null, behind ? target : null) ??
      (behind && waitsForRollout(group.wanted, node.placed, follows, node.createdAt) && rollout === null
        ? waits(around.channel)
        : null),
    createdAt: node.createdAt,
    ...(node.client === undefined ? {} : { client: node.client }),
  };
}

/** The release that the node should be on. */
export const wantedOf = (
  { placed }: Pick<NodeRecord, "placed">,
  { rollout, group, channel }: Pick<Around, "rollout" | "group" | "channel">,
): string | null =>
  rollout?.release ?? wantedFor(group.wanted, placed, wantedByChannel(channel, group.followsSince));

/** Why it is where it is: what its job waits for, or else what keeps it from where it should be. */
function reasonOf(
  membership: Node["membership"],
  { job, rollout }: Around,
  holdings: Parameters<typeof refusesUnasked>[0] | null,
  behind: Parameters<typeof refusesUnasked>[1] | null,
): Node["reason"] {
  if (membership !== "approved") {
    const message =
      membership === "pending" ? "Waits for an operator's approval." : "Its credential was revoked.";
    return { code: membership === "pending" ? "node-not-approved" : "node-revoked", message };
  }
  if (job !== null && isActive(job)) {
    const place = rollout === null ? undefined : placeOf(rollout, job.nodeId);
    return place?.reason ?? job.reason;
  }
  if (behind === null || holdings === null) return null;
  return refusesUnasked(holdings, behind);
}

const waits = (channel: Channel | null): Node["reason"] => ({
  code: "waits-for-rollout",
  message: `Channel ${channel?.name} was moved to ${channel?.release}; a rollout brings it there.`,
});

/** Everything that one node is shown with. */
export async function readAround(ctx: Context, node: StoredNode): Promise<Around> {
  const { store } = ctx;
  const { id, group: name } = node.value;
  const [group, lease, job, rollouts] = await Promise.all([
    store.group(name),
    store.lease(name),
    store.activeJob(id),
    store.unfinishedRollouts(name),
  ]);
  if (group === null || lease === null) throw new Error(`node ${id} is in a group that does not exist`);
  const channel = group.value.channel === null ? null : await store.channel(group.value.channel);
  return {
    published: readPublished(ctx),
    group: group.value,
    channel: channel?.value ?? null,
    lease: lease.value,
    job: job?.value ?? null,
    rollout: rolloutWith(
      rollouts.map((rollout) => rollout.value),
      id,
    ),
  };
}

export const rolloutWith = (rollouts: readonly RolloutRecord[], nodeId: string): RolloutRecord | null =>
  rollouts.find((rollout) => isActiveRollout(rollout) && placeOf(rollout, nodeId) !== undefined) ?? null;
