import type { NodeId } from "../../protocol/names.ts";
import type { RolloutNode } from "../../protocol/rollout.ts";
import {
  groupsOf,
  isActiveRollout,
  isOfWholeGroups,
  placeOf,
  type RolloutRecord,
} from "../core/rollout/rollout.ts";
import type { Change, NodeRecord, Stored } from "../store/records.ts";
import type { Context } from "./context.ts";

/**
 * What a rollout's end means beyond itself. Completed: its release is what its groups should be on from now on, as far
 * as it was of whole groups and any of their nodes is on it; one that every node has skipped is nothing to bring later
 * nodes to. Of parts of groups, ended early, or taken back: the nodes that it did move are meant to stay where it left
 * them.
 */
export async function endChanges(
  ctx: Context,
  before: RolloutRecord,
  after: RolloutRecord,
): Promise<Change[]> {
  const halts = after.status === "halted" && before.status !== "halted";
  const completes = after.status === "completed" && before.status !== "completed";
  const changes: Change[] = [...(await placeNodes(ctx, before, after))];
  const at = ctx.wall();
  if (completes && setsWanted(after)) changes.push(...(await wantedOfGroups(ctx, after)));
  if (halts) {
    const message = `The rollout of ${after.release} halted. ${after.reason?.message ?? ""}`.trim();
    changes.push({ kind: "raise", alert: "fleet_update_halted", subject: after.id, message, at });
  } else if (before.status === "halted" && after.status !== "halted") {
    const because = after.status === "running" ? "It was retried and goes on." : `It is ${after.status} now.`;
    changes.push({ kind: "resolve", alert: "fleet_update_halted", subject: after.id, at, because });
  }
  if (completes) changes.push(...(await resolveEarlier(ctx, after)));
  return changes;
}

const setsWanted = ({ kind, selection }: RolloutRecord): boolean =>
  kind === "update" && isOfWholeGroups(selection);

async function wantedOfGroups(ctx: Context, after: RolloutRecord): Promise<Change[]> {
  const at = ctx.wall();
  const reached = new Set(after.nodes.filter(isOnRelease).map((node) => node.group));
  const changes: Change[] = [];
  for (const name of reached) {
    const group = await ctx.store.group(name);
    if (group === null) continue;
    const value = { ...group.value, wanted: { release: after.release, at } };
    changes.push({ kind: "group", value, expected: group.revision });
  }
  return changes;
}

/** A halt is over and done with once a later rollout of any of its groups completes. */
async function resolveEarlier(ctx: Context, after: RolloutRecord): Promise<Change[]> {
  const changes: Change[] = [];
  const groups = groupsOf(after);
  for (const { subject } of await ctx.store.openAlerts("fleet_update_halted")) {
    const halted = subject === after.id ? null : await ctx.store.rollout(subject);
    if (halted === null || ![...groupsOf(halted.value)].some((group) => groups.has(group))) continue;
    const because = `A later rollout of the same groups, of ${after.release}, completed.`;
    changes.push({ kind: "resolve", alert: "fleet_update_halted", subject, at: ctx.wall(), because });
  }
  return changes;
}

/** Says of nodes that no group's release speaks for where this rollout has left them. */
async function placeNodes(ctx: Context, before: RolloutRecord, after: RolloutRecord): Promise<Change[]> {
  if (isActiveRollout(after) || (after.status === "completed" && setsWanted(after))) return [];
  const ends = before.status !== after.status;
  const left = after.nodes.filter(
    (node) => isOnRelease(node) && (ends || placeOf(before, node.nodeId)?.status !== node.status),
  );
  if (left.length === 0) return [];
  const nodes = await nodesOf(ctx, new Set(left.map((node) => node.group)));
  return left.flatMap((place): Change[] => {
    const node = nodes.get(place.nodeId);
    const release = after.kind === "rollback" ? place.to?.version : after.release;
    if (node === undefined || release === undefined || node.value.placed?.release === release) return [];
    const value = { ...node.value, placed: { release, at: ctx.wall() } };
    return [{ kind: "node", value, expected: node.revision }];
  });
}

async function nodesOf(ctx: Context, groups: ReadonlySet<string>) {
  const nodes = new Map<NodeId, Stored<NodeRecord>>();
  for (const group of groups) for (const node of await ctx.store.nodes(group)) nodes.set(node.value.id, node);
  return nodes;
}

const isOnRelease = ({ status, reason }: RolloutNode): boolean =>
  status === "succeeded" || (status === "skipped" && reason?.code === "already-up-to-date");
