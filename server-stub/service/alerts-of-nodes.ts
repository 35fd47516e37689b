/**
 * Alerts about nodes that no single event raises or resolves: each look compares what is open with what is stored and
 * heard, so that it does not matter what was missed in between.
 */
import type { Alert } from "../../protocol/alert.ts";
import type { NodeId } from "../../protocol/names.ts";
import { isActive } from "../core/job/job.ts";
import { holderOf, isOverdue, type LeaseRecord } from "../core/lease/record.ts";
import { stateOf } from "../core/presence/presence.ts";
import { isActiveRollout } from "../core/rollout/rollout.ts";
import type { Change, NodeRecord } from "../store/records.ts";
import type { Context } from "./context.ts";
import { readAround, showNode } from "./node-view.ts";

/** Starts of a confirmed build in a row that ended badly, from which on a person is told. */
const CRASHES = 3;

/** A node that restarts under its lease is expected to be away, until it takes longer than any update may. */
export function isExpectedAway(ctx: Context, lease: LeaseRecord | null, nodeId: NodeId): boolean {
  const holder = lease === null ? undefined : holderOf(lease, nodeId);
  return holder?.phase === "in-flight" && !isOverdue(holder, ctx.leasePolicy.overdueAfterMs, ctx.now());
}

export const offline = ({ id, name }: NodeRecord, at: number): Change => ({
  kind: "raise",
  alert: "node_offline",
  subject: id,
  message: `${name} is offline.`,
  at,
});

/** Also raises what was not raised when it happened, because the node was expected to be away or was no member yet. */
export async function watchNodes(ctx: Context): Promise<void> {
  const open = await ctx.store.openAlerts();
  const changes = [
    ...(await lateOffline(ctx, open)),
    ...(await crashing(ctx, open)),
    ...(await resolvedOfNodes(ctx, open)),
  ];
  // One by one: each stands for itself, and one that comes too late is found again by the next look.
  for (const change of changes) await ctx.store.apply([change]);
}

async function lateOffline(ctx: Context, open: readonly Alert[]): Promise<Change[]> {
  const told = new Set(open.filter(({ kind }) => kind === "node_offline").map(({ subject }) => subject));
  const away = (await ctx.store.nodes())
    .map(({ value }) => value)
    .filter(
      ({ id, presence, membership }) => presence === "offline" && membership === "approved" && !told.has(id),
    )
    .filter(({ id }) => stateOf(ctx.live.presence(id), ctx.timing, ctx.now()) === "offline");
  if (away.length === 0) return [];
  const leases = new Map((await ctx.store.busyLeases()).map(({ group, value }) => [group, value]));
  return away
    .filter(({ id, group }) => !isExpectedAway(ctx, leases.get(group) ?? null, id))
    .map((node) => offline(node, ctx.wall()));
}

async function crashing(ctx: Context, open: readonly Alert[]): Promise<Change[]> {
  const told = new Set(open.filter(({ kind }) => kind === "build_crashing").map(({ subject }) => subject));
  const changes: Change[] = [];
  for (const [subject, { presence }] of ctx.live.all()) {
    const crashes = presence?.heartbeat?.crashes ?? null;
    const about = { alert: "build_crashing", subject, at: ctx.wall() } as const;
    if (crashes !== null && crashes >= CRASHES && !told.has(subject)) {
      const node = await ctx.store.node(subject);
      if (node?.value.membership !== "approved") continue;
      const version = presence?.hello.build.version ?? "its build";
      const message = `${version} keeps crashing on ${node.value.name}: ${crashes} starts in a row ended badly.`;
      changes.push({ kind: "raise", ...about, message });
    }
    if (crashes === 0 && told.has(subject)) {
      changes.push({ kind: "resolve", ...about, because: "It runs without crashing." });
    }
  }
  return changes;
}

const OF_NODES: readonly Alert["kind"][] = ["update_failed", "node_offline", "build_crashing"];

async function resolvedOfNodes(ctx: Context, open: readonly Alert[]): Promise<Change[]> {
  const changes: Change[] = [];
  for (const { kind: alert, subject } of open.filter(({ kind }) => OF_NODES.includes(kind))) {
    const because = await reasonToResolve(ctx, alert, subject);
    if (because !== null) changes.push({ kind: "resolve", alert, subject, at: ctx.wall(), because });
  }
  return changes;
}

async function reasonToResolve(ctx: Context, kind: Alert["kind"], nodeId: NodeId): Promise<string | null> {
  const node = await ctx.store.node(nodeId);
  if (node === null) return "The node was removed.";
  if (node.value.membership === "revoked") return "Its credential was revoked.";
  return kind === "update_failed" ? isRightAfterAll(ctx, nodeId) : null;
}

/**
 * A node whose update failed is right again without another job when it runs that build after all, or when nobody wants
 * it there any more and it runs what is wanted of it.
 */
async function isRightAfterAll(ctx: Context, nodeId: NodeId): Promise<string | null> {
  const [node, job] = [await ctx.store.node(nodeId), await ctx.store.lastJob(nodeId)];
  if (node === null || job === null || isActive(job.value)) return null;
  const shown = showNode(ctx, node, await readAround(ctx, node));
  const isWell = shown.health?.healthy === true && shown.journal?.kind === "idle";
  if (!isWell || shown.build === null) return null;
  const { to, rolloutId, release } = job.value;
  if (to !== null && shown.build.buildHash === to.buildHash && shown.build.version === to.version) {
    return `It runs ${to.version} after all.`;
  }
  const rollout = rolloutId === null ? null : ((await ctx.store.rollout(rolloutId))?.value ?? null);
  const isWanted =
    rollout === null
      ? shown.desired === release
      : isActiveRollout(rollout) || (rollout.status === "halted" && rollout.rolledBackBy === null);
  if (isWanted || shown.behind || shown.desired === null) return null;
  return `It runs ${shown.build.version}, and nothing else is wanted of it.`;
}
