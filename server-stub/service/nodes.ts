import type { NodeId } from "../../protocol/names.ts";
import type { Node } from "../../protocol/node.ts";
import { ok, type Result } from "../../protocol/result.ts";
import { cancelJob } from "../core/job/outcome.ts";
import { remove } from "../core/lease/end.ts";
import { holderOf } from "../core/lease/record.ts";
import { open } from "../core/presence/presence.ts";
import type { Change, NodeRecord, Stored, StoredNode } from "../store/records.ts";
import { attempt, type Decision } from "./attempt.ts";
import { actorOf, audit } from "./audit.ts";
import { catchUpNode } from "./catch-up.ts";
import { type Context, newNonce } from "./context.ts";
import type { IfMatch, Nodes, Principal, Refusal } from "./coordinator.ts";
import { cancelDiagnosis } from "./diagnosis.ts";
import { runRollouts } from "./engine.ts";
import { jobChanges } from "./job-changes.ts";
import { listNodes, pageOfNodes } from "./list-nodes.ts";
import { inProgress } from "./node-job.ts";
import { readAround, rolloutWith, showNode } from "./node-view.ts";
import { push, pushGroup } from "./push.ts";
import { noGroup, noNode, refuse } from "./refusals.ts";
import { previewRemoval } from "./removal.ts";
import { startJob } from "./start-job.ts";
import { denyStale, nodeTag } from "./tags.ts";

export const createNodes = (ctx: Context): Nodes => ({
  list: ({ group }) => listNodes(ctx, group),
  page: ({ group }, query) => pageOfNodes(ctx, group, query),
  get: (nodeId) => showOne(ctx, nodeId),

  approve: (by, nodeId) =>
    change(ctx, by, nodeId, "node.approved", async (node) => {
      if (node.membership === "revoked")
        return refuse("wrong-state", `${node.name} was revoked; it must join again.`);
      return ok({ ...node, membership: "approved" });
    }),

  async revoke(by, nodeId) {
    const revoked = await change(ctx, by, nodeId, "node.revoked", async (node) =>
      ok({ ...node, membership: "revoked" as const }),
    );
    if (revoked.ok) await sayGone(ctx, nodeId);
    return revoked;
  },

  reject: (by, nodeId) => removeNode(ctx, by, nodeId, "node.rejected", null),

  removal: (nodeId) => previewRemoval(ctx, nodeId),

  async edit(by, nodeId, wanted, ifMatch = null) {
    let moves: readonly Change[] = [];
    const edit = async (node: NodeRecord): Promise<Result<NodeRecord, Refusal>> => {
      const stale = denyStale(ifMatch, nodeTag(node));
      if (stale !== null) return stale;
      const { group = node.group, voter = node.voter, labels = node.labels } = wanted;
      if (group !== node.group && node.client !== undefined) {
        return refuse("wrong-state", `${node.name} speaks FleetLock, and names its group itself.`, {
          hint: "Remove it here, and configure it for the other group.",
          context: { state: "fleet-lock" },
        });
      }
      const may = group === node.group ? ok([]) : await mayMove(ctx, node, group);
      if (!may.ok) return may;
      moves = may.value;
      return ok({ ...node, group, voter, labels });
    };
    const edited = await change(ctx, by, nodeId, "node.edited", edit, () => moves);
    if (edited.ok && moves.length > 0) await askForHello(ctx, nodeId);
    return edited;
  },

  remove: (by, nodeId, ifMatch = null) => removeNode(ctx, by, nodeId, "node.removed", ifMatch),

  async start(by, nodeId, kind, options) {
    const job = await startJob(ctx, by, nodeId, kind, options);
    if (job.ok) push(ctx, nodeId);
    return job;
  },
});

async function showOne(ctx: Context, nodeId: NodeId): Promise<Result<Node, Refusal>> {
  const node = await ctx.store.node(nodeId);
  return node === null ? noNode(nodeId) : ok(showNode(ctx, node, await readAround(ctx, node)));
}

/** Changes what is configured of a node. The group is written too: its budget depends on its members. */
async function change(
  ctx: Context,
  by: Principal,
  nodeId: NodeId,
  action: string,
  to: (node: NodeRecord) => Promise<Result<NodeRecord, Refusal>>,
  /** On what condition besides, as `to` has found it. */
  provided: () => readonly Change[] = () => [],
): Promise<Result<Node, Refusal>> {
  const done = await attempt<Result<NodeRecord, Refusal>>(ctx.store, async () => {
    const node = await ctx.store.node(nodeId);
    if (node === null) return { changes: [], answer: noNode(nodeId) };
    const after = await to(node.value);
    if (!after.ok || same(node.value, after.value)) return { changes: [], answer: after };
    const changes: Change[] = [
      ...provided(),
      ...(await membersChanged(ctx, node.value.group, after.value.group)),
      { kind: "node", value: after.value, expected: node.revision },
      audit(ctx, actorOf(by), action, nodeId, configured(node.value), configured(after.value)),
      ...(after.value.membership === "revoked" ? await dismissed(ctx, by, node.value) : []),
      ...(after.value.group === node.value.group ? [] : await tokensFollow(ctx, node.value, after.value)),
    ];
    return { changes, answer: after };
  });
  if (!done.ok) return done;
  await runRollouts(ctx, done.value.group);
  await catchUpNode(ctx, nodeId);
  await pushGroup(ctx, done.value.group, [nodeId]);
  return showOne(ctx, nodeId);
}

/** Nobody waits for who cannot come back, or looks for it. What it may be doing under a lease is still waited for. */
async function dismissed(ctx: Context, by: Principal, { id, name, group }: NodeRecord): Promise<Change[]> {
  const at = ctx.wall();
  const reason = { code: "node-revoked", message: `${name}'s credential was revoked.` };
  const changes: Change[] = [
    { kind: "resolve", alert: "node_offline", subject: id, at, because: "Its credential was revoked." },
    ...(await cancelDiagnosis(ctx, id, reason, actorOf(by))),
  ];
  const [lease, job] = [await ctx.store.lease(group), await ctx.store.activeJob(id)];
  if (lease === null || job === null || holderOf(lease.value, id)?.phase === "in-flight") return changes;
  changes.push({ kind: "same-lease", group, expected: lease.revision });
  return [...changes, ...jobChanges(ctx, job, cancelJob(job.value, reason, at), actorOf(by))];
}

/** The node may still repeat a word on a token of the group that it leaves: the next one gives none that low. */
async function tokensFollow(ctx: Context, from: NodeRecord, to: NodeRecord): Promise<Change[]> {
  const [left, entered] = [await ctx.store.lease(from.group), await ctx.store.lease(to.group)];
  if (left === null || entered === null || left.value.lastToken <= entered.value.lastToken) return [];
  const value = { ...entered.value, lastToken: left.value.lastToken };
  return [{ kind: "lease", group: to.group, value, expected: entered.revision }];
}

async function membersChanged(ctx: Context, ...names: string[]): Promise<Change[]> {
  const changes: Change[] = [];
  for (const name of new Set(names)) {
    const group = await ctx.store.group(name);
    if (group !== null) changes.push({ kind: "group", value: group.value, expected: group.revision });
  }
  return changes;
}

/** A node does not change groups while anything in either depends on it. Nobody may have begun since it was looked at. */
async function mayMove(
  ctx: Context,
  node: NodeRecord,
  to: string,
): Promise<Result<readonly Change[], Refusal>> {
  if ((await ctx.store.group(to)) === null) return noGroup(to);
  const busy = await ctx.store.activeJob(node.id);
  if (busy !== null) return { ok: false, error: inProgress(busy.value) };
  const lease = await ctx.store.lease(node.group);
  if (lease === null) throw new Error(`node ${node.id} is in a group that does not exist`);
  const owes = lease.value.broken.some((broken) => broken.nodeId === node.id);
  if (owes || holderOf(lease.value, node.id) !== undefined) {
    return refuse(
      "wrong-state",
      `${node.name} holds the lease of ${node.group}, or owes its last word on it.`,
    );
  }
  const rollouts = (await ctx.store.unfinishedRollouts(node.group)).map((rollout) => rollout.value);
  const rollout = rolloutWith(rollouts, node.id);
  if (rollout !== null) return refuse("in-rollout", `Rollout ${rollout.id} has ${node.name}.`);
  return ok([{ kind: "same-lease", group: node.group, expected: lease.revision }]);
}

type Removal = "node.removed" | "node.rejected";

async function removeNode(ctx: Context, by: Principal, nodeId: NodeId, action: Removal, ifMatch: IfMatch) {
  const gone = await attempt(ctx.store, () => decideRemove(ctx, by, nodeId, action, ifMatch));
  if (!gone.ok) return gone;
  await sayGone(ctx, nodeId);
  await runRollouts(ctx, gone.value.group);
  await pushGroup(ctx, gone.value.group);
  ctx.live.forget(nodeId);
  return gone;
}

async function decideRemove(
  ctx: Context,
  by: Principal,
  nodeId: NodeId,
  action: Removal,
  ifMatch: IfMatch,
): Promise<Decision<Result<Node, Refusal>>> {
  const node: StoredNode | null = await ctx.store.node(nodeId);
  if (node === null) return { changes: [], answer: noNode(nodeId) };
  const stale = denyStale(ifMatch, nodeTag(node.value));
  if (stale !== null) return { changes: [], answer: stale };
  if (action === "node.rejected" && node.value.membership !== "pending") {
    const { name, membership: state } = node.value;
    const answer = refuse("wrong-state", `${name} does not wait for approval: it is ${state}.`, {
      hint: "To take a member out, remove it.",
      context: { state },
    });
    return { changes: [], answer };
  }
  const { group } = node.value;
  const at = ctx.wall();
  const around = await readAround(ctx, node);
  const lease = await ctx.store.lease(group);
  const job: Stored<Parameters<typeof cancelJob>[0]> | null = await ctx.store.activeJob(nodeId);
  const changes: Change[] = [
    ...(await membersChanged(ctx, group)),
    { kind: "remove-node", id: nodeId, expected: node.revision },
    audit(ctx, actorOf(by), action, nodeId, configured(node.value), null),
    ...(["node_offline", "update_failed", "build_crashing"] as const).map(
      (alert): Change => ({ kind: "resolve", alert, subject: nodeId, at, because: "The node was removed." }),
    ),
  ];
  if (lease !== null) {
    const value = remove(lease.value, nodeId);
    const changed = JSON.stringify(value) !== JSON.stringify(lease.value);
    if (changed) changes.push({ kind: "lease", group, value, expected: lease.revision });
  }
  const reason = { code: "removed", message: "The node was removed." };
  changes.push(...(await cancelDiagnosis(ctx, nodeId, reason, actorOf(by))));
  if (job !== null) {
    changes.push(...jobChanges(ctx, job, cancelJob(job.value, reason, at), actorOf(by)));
  }
  return { changes, answer: ok(showNode(ctx, node, around)) };
}

/**
 * Ends the node's session: what it still sends proves nothing, and its door is closed. In the node's turn, so that
 * a hello that was being taken in is ended as well.
 */
const sayGone = (ctx: Context, nodeId: NodeId): Promise<void> =>
  ctx.live.inTurn(nodeId, async () => {
    const live = ctx.live.get(nodeId);
    live.presence = undefined;
    const door = live.door;
    live.door = undefined;
    door?.revoked();
  });

/** A welcome tells the node its group. Under a nonce that nobody was told, all it says is answered by asking for a hello. */
const askForHello = (ctx: Context, nodeId: NodeId): Promise<void> =>
  ctx.live.inTurn(nodeId, async () => {
    const live = ctx.live.get(nodeId);
    if (live.presence === undefined) return;
    live.presence = open(live.presence.hello, newNonce(ctx.random), live.presence, ctx.now());
  });

const configured = ({ name, group, voter, labels, membership }: NodeRecord) => ({
  name,
  group,
  voter,
  labels,
  membership,
});

const same = (a: NodeRecord, b: NodeRecord): boolean =>
  JSON.stringify(configured(a)) === JSON.stringify(configured(b));
