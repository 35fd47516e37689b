/** Reads what a plan is made of, and makes it: for a dry run, and again for the start itself. */
import type { GroupName, NodeId } from "../../protocol/names.ts";
import type { Release } from "../../protocol/release.ts";
import { ok, type Result } from "../../protocol/result.ts";
import type { StartRolloutRequest } from "../../protocol/rollout.ts";
import { holderOf, isOverdue, type LeaseRecord } from "../core/lease/record.ts";
import { type Planned, planRollout } from "../core/plan/plan.ts";
import type { PlanGroup, PlanKnown, PlanLease, PlanNode, PlanWorld } from "../core/plan/world.ts";
import { holdingsOf, type Presence, stateOf } from "../core/presence/presence.ts";
import { policyOf } from "../core/rollout/policy.ts";
import { isActiveRollout, isEnded, isOfWholeGroups } from "../core/rollout/rollout.ts";
import type { GroupRecord, NodeRecord, Stored } from "../store/records.ts";
import type { Context } from "./context.ts";
import type { Refusal } from "./coordinator.ts";
import { gatesAt } from "./gates.ts";
import { memberView } from "./group-view.ts";
import { noNode, refuse } from "./refusals.ts";
import { newestRelease } from "./releases.ts";
import { findStranger, type SelectedNodes, selectNodes } from "./selection.ts";

export type PlanRead = Planned & {
  readonly release: Release;
  /** The groups of the selected nodes, as they were read. */
  readonly groups: readonly Stored<GroupRecord>[];
};

/** Jobs that are looked at for how long an update takes. */
const PAST_JOBS = 500;

/**
 * Refusals are of what cannot be planned at all: `not-found`, `empty-selection`, `stages-out-of-order`,
 * `threshold-out-of-range`, `no-release`. What keeps a plan from being started is in its checks.
 */
export async function readPlan(
  ctx: Context,
  request: StartRolloutRequest,
): Promise<Result<PlanRead, Refusal>> {
  const selected = await selectNodes(ctx, request.selection);
  if (!selected.ok) return selected;
  const { all, groups } = selected.value;
  const fleet = (await ctx.store.policy()).value;
  const policy = policyOf(request.selection, request.policy ?? {}, fleet.rollout);
  if (!policy.ok) return policy;
  const release = await releaseFor(ctx, request);
  if (!release.ok) return release;
  const allowed = request.allowUnhealthy ?? [];
  const stranger = findStranger(all, allowed);
  if (stranger !== undefined) return noNode(stranger);
  const named = new Set(allowed);
  const planned = planRollout(await readWorld(ctx, selected.value), {
    release: release.value,
    policy: policy.value,
    ofWholeGroups: isOfWholeGroups(request.selection),
    acceptOutage: request.acceptOutage === true,
    allowUnhealthy: all.filter(({ id, name }) => named.has(id) || named.has(name)).map(({ id }) => id),
    retry: request.retry === true,
  });
  return ok({ ...planned, release: release.value, groups: [...groups.values()] });
}

/** Without a name the one that the selected channel is at, or else the newest. */
async function releaseFor(ctx: Context, request: StartRolloutRequest): Promise<Result<Release, Refusal>> {
  const { releases } = ctx.repository.releases();
  const { channel: name } = request.selection;
  const channel = name === undefined ? null : await ctx.store.channel(name);
  const version = request.release ?? channel?.value.release ?? newestRelease(releases);
  const release = releases.find((each) => each.version === version);
  if (release !== undefined) return ok(release);
  return refuse(
    "no-release",
    version === null ? "Nothing has been published yet." : `${version} is not published.`,
    { hint: "Publish it with `baton publish`." },
  );
}

async function readWorld(ctx: Context, { nodes, groups, all }: SelectedNodes): Promise<PlanWorld> {
  const [policy, busy, rollouts, jobs] = await Promise.all([
    ctx.store.policy(),
    ctx.store.busyLeases(),
    ctx.store.unfinishedRollouts(),
    ctx.store.jobs({ kind: "update", status: "succeeded", limit: PAST_JOBS }),
  ]);
  const gate = gatesAt(policy.value, ctx.wall());
  const leases = new Map(busy.map(({ group, value }) => [group, value]));
  const inRollouts = new Map<NodeId, PlanNode["rollout"]>();
  for (const { value } of rollouts.filter((rollout) => isActiveRollout(rollout.value))) {
    const { id, release, status } = value;
    for (const place of value.nodes)
      if (!isEnded(place)) inRollouts.set(place.nodeId, { id, release, status });
  }
  const selected = new Set(nodes.map(({ id }) => id));
  const isQuorum = (name: GroupName) => groups.get(name)?.value.mode === "quorum";
  return {
    groups: [...groups.values()].map(({ value }): PlanGroup => {
      const { name, mode, spare, wanted } = value;
      return { name, mode, spare, gate: gate(value), wanted: wanted?.release ?? null };
    }),
    nodes: all
      .filter(
        ({ id, group, membership }) => selected.has(id) || (isQuorum(group) && membership !== "pending"),
      )
      .map((node) =>
        planNode(ctx, node, {
          selected: selected.has(node.id),
          rollout: inRollouts.get(node.id) ?? null,
          lease: leaseOf(ctx, leases.get(node.group), node.id),
        }),
      ),
    releases: ctx.repository.releases().releases,
    heartbeatMs: ctx.timings.heartbeatMs,
    past: jobs.flatMap(({ value: { group, leasedAt, endedAt } }) =>
      leasedAt === undefined || endedAt === null ? [] : [{ group, tookMs: Math.max(0, endedAt - leasedAt) }],
    ),
  };
}

function planNode(
  ctx: Context,
  node: NodeRecord,
  around: Pick<PlanNode, "selected" | "rollout" | "lease">,
): PlanNode {
  const presence = ctx.live.presence(node.id);
  const now = ctx.now();
  const heardAt = presence?.heartbeatAtMs ?? null;
  const heartbeat = presence?.heartbeat ?? null;
  const { old: _old, ...member } = memberView(ctx, node, false);
  return {
    ...member,
    ...around,
    group: node.group,
    known: knownOf(node, presence),
    presence: stateOf(presence, ctx.timing, now),
    heardAgoMs: heardAt === null ? null : now - heardAt,
    health: heartbeat?.health ?? null,
    state: heartbeat?.update.state ?? null,
  };
}

function knownOf({ known }: NodeRecord, presence: Presence | undefined): PlanKnown | null {
  if (presence?.heartbeat != null) {
    const { platform, build, runtime, protocol } = presence.hello;
    return { platform, build, runtime, protocol, holdings: holdingsOf(presence) };
  }
  if (known === null) return null;
  const { platform, build, holdings, runtime = null, protocol = null } = known;
  return { platform, build, holdings, runtime, protocol };
}

function leaseOf(ctx: Context, lease: LeaseRecord | undefined, nodeId: NodeId): PlanLease | null {
  if (lease === undefined) return null;
  const broken = lease.broken.find((each) => each.nodeId === nodeId);
  if (broken !== undefined) return { token: broken.token, phase: "broken", overdue: false };
  const holder = holderOf(lease, nodeId);
  if (holder === undefined) return null;
  const overdue = isOverdue(holder, ctx.leasePolicy.overdueAfterMs, ctx.now());
  return { token: holder.token, phase: holder.phase, overdue };
}
