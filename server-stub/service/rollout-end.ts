import type { GroupName, NodeId } from "../../protocol/names.ts";
import type { RolloutNode } from "../../protocol/rollout.ts";
import type { EpochMs } from "../../protocol/time.ts";
import { groupsOf, hasGroup, placeOf, placesIn } from "../core/rollout/places.ts";
import { isActiveRollout, isOfWholeGroups, type Place, type RolloutRecord } from "../core/rollout/rollout.ts";
import type { Change, NodeRecord, Stored } from "../store/records.ts";
import type { Context } from "./context.ts";

/**
 * What a rollout's end means beyond itself. Completed: its release is what its groups should be on from now on, as far
 * as it was of whole groups and any of their nodes is on it; one that every node has skipped is nothing to bring later
 * nodes to. Of parts of groups, ended early, or taken back: the nodes that it did move are meant to stay where it left
 * them; and a group that was taken back whole is not meant to be on that release any more.
 */
export async function endChanges(
  ctx: Context,
  before: RolloutRecord,
  after: RolloutRecord,
): Promise<Change[]> {
  const completes = after.status === "completed" && before.status !== "completed";
  const changes: Change[] = [...(await placeNodes(ctx, before, after)), ...alertChanges(ctx, before, after)];
  if (!completes) return changes;
  const wanted = after.kind === "rollback" ? wantedAgain : setsWanted(after) ? wantedFrom : null;
  if (wanted !== null) changes.push(...(await wantedOfGroups(ctx, after, wanted)));
  return [...changes, ...(await resolveEarlier(ctx, after))];
}

/** It stands still, and goes on only when somebody says so. */
const STANDS = ["halted", "failed"];

function alertChanges(ctx: Context, before: RolloutRecord, after: RolloutRecord): Change[] {
  const [stood, stands] = [STANDS.includes(before.status), STANDS.includes(after.status)];
  if (stood === stands) return [];
  const about = { alert: "fleet_update_halted", subject: after.id, at: ctx.wall() } as const;
  if (!stands) {
    const because = after.status === "running" ? "It was retried and goes on." : `It is ${after.status} now.`;
    return [{ kind: "resolve", ...about, because }];
  }
  const what = after.kind === "rollback" ? `rollback from ${after.release}` : `rollout of ${after.release}`;
  const message = `The ${what} ${after.status}. ${after.reason?.message ?? ""}`.trim();
  return [{ kind: "raise", ...about, message }];
}

const setsWanted = ({ kind, selection }: RolloutRecord): boolean =>
  kind === "update" && isOfWholeGroups(selection);

/** The release that a group should be on from now on, by where its nodes stand and what it should be on so far. */
type WantedOf = (after: RolloutRecord, places: readonly Place[], wanted: string | null) => string | null;

const wantedFrom: WantedOf = ({ release }, places) => (places.some(isOnRelease) ? release : null);

/** Where all of the group are again, if it is meant to be on what was taken back. */
const wantedAgain: WantedOf = ({ release }, places, wanted) => {
  const versions = new Set(places.map((place) => (isOnRelease(place) ? place.to?.version : undefined)));
  const [version] = versions;
  return wanted === release && versions.size === 1 && version !== undefined ? version : null;
};

async function wantedOfGroups(ctx: Context, after: RolloutRecord, wantedOf: WantedOf): Promise<Change[]> {
  const at = ctx.wall();
  const changes: Change[] = [];
  for (const name of groupsOf(after)) {
    const group = await ctx.store.group(name);
    if (group === null) continue;
    const nodes = await ctx.store.nodes(name);
    const release = wantedOf(after, placesIn(after, name), group.value.wanted?.release ?? null);
    if (release === null) continue;
    changes.push({
      kind: "group",
      value: { ...group.value, wanted: { release, at: notBefore(at, nodes) } },
      expected: group.revision,
    });
  }
  return changes;
}

/** A halt is over and done with once a later rollout of any of its groups completes. */
async function resolveEarlier(ctx: Context, after: RolloutRecord): Promise<Change[]> {
  const changes: Change[] = [];
  for (const { subject } of await ctx.store.openAlerts("fleet_update_halted")) {
    const halted = subject === after.id ? null : await ctx.store.rollout(subject);
    if (halted === null || !groupsOf(halted.value).some((group) => hasGroup(after, group))) continue;
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
  const groups = new Set(left.map((node) => node.group));
  const nodes = await nodesOf(ctx, groups);
  const wantedAt = await wantedAtOf(ctx, nodes);
  return left.flatMap((place): Change[] => {
    const node = nodes.get(place.nodeId);
    const release = after.kind === "rollback" ? place.to?.version : after.release;
    if (node === undefined || release === undefined) return [];
    // Also where it was placed there before: what was completed since would count for more than that.
    const at = Math.max(ctx.wall(), (wantedAt.get(node.value.group) ?? 0) + 1);
    const value = { ...node.value, placed: { release, at } };
    return [{ kind: "node", value, expected: node.revision }];
  });
}

/**
 * What is said last counts, also where the wall clock was set back since: then the time that is noted comes after what
 * was said before, and not when it was said.
 */
const notBefore = (at: EpochMs, nodes: readonly Stored<NodeRecord>[]): EpochMs =>
  nodes.reduce((latest, { value }) => Math.max(latest, value.placed?.at ?? 0), at);

async function wantedAtOf(
  ctx: Context,
  nodes: ReadonlyMap<NodeId, Stored<NodeRecord>>,
): Promise<ReadonlyMap<GroupName, EpochMs>> {
  const names = new Set([...nodes.values()].map(({ value }) => value.group));
  const groups = await Promise.all([...names].map((name) => ctx.store.group(name)));
  return new Map(
    groups.flatMap((group) => (group === null ? [] : [[group.value.name, group.value.wanted?.at ?? 0]])),
  );
}

async function nodesOf(ctx: Context, groups: ReadonlySet<GroupName>) {
  const nodes = new Map<NodeId, Stored<NodeRecord>>();
  for (const group of groups) for (const node of await ctx.store.nodes(group)) nodes.set(node.value.id, node);
  return nodes;
}

const isOnRelease = ({ status, reason }: RolloutNode): boolean =>
  status === "succeeded" || (status === "skipped" && reason?.code === "already-up-to-date");
