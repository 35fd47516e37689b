import { createHash, timingSafeEqual } from "node:crypto";
import type { FleetLockKind, FleetLockOpened, FleetLockSettings } from "../../protocol/fleet-lock.ts";
import type { GroupName, NodeId } from "../../protocol/names.ts";
import { NodeName } from "../../protocol/names.ts";
import { err, ok, type Result } from "../../protocol/result.ts";
import { Value } from "../../protocol/schema.ts";
import { lock, unlock } from "../core/lease/fleet-lock.ts";
import type { Denied } from "../core/lease/view.ts";
import type {
  Change,
  FleetLockRecord,
  GroupRecord,
  NodeRecord,
  Stored,
  StoredNode,
} from "../store/records.ts";
import { attempt, type Decision } from "./attempt.ts";
import { actorOf, audit, nodeActor } from "./audit.ts";
import { type Context, hashSecret, newId, newSecret } from "./context.ts";
import type { FleetLock, FleetLockCall, FleetLockRefused, Principal, Refusal } from "./coordinator.ts";
import { runRollouts } from "./engine.ts";
import { readGroupView } from "./group-view.ts";
import { pushGroup } from "./push.ts";
import { noGroup } from "./refusals.ts";

/** Clients of one group that wait for an operator: more are not taken down. */
const MOST_PENDING = 100;

/** FleetLock on the leases of the groups: for clients that share a group with agents, or have one of their own. */
export const createFleetLock = (ctx: Context): FleetLock => ({
  async lock(call) {
    const found = await attempt<Result<NodeId, FleetLockRefused>>(ctx.store, () => decideMember(ctx, call));
    if (!found.ok) return found;
    return attempt<Result<void, FleetLockRefused>>(ctx.store, () => decideLock(ctx, call, found.value));
  },

  async unlock(call) {
    const group = await openGroup(ctx, call);
    if (!group.ok) return group;
    const node = await ctx.store.nodeByCredential(credentialOf(call));
    if (node === null) return ok(undefined);
    seen(ctx, node.value.id, call.from);
    const returned = await attempt(ctx.store, () => decideUnlock(ctx, call, node.value.id));
    if (returned) {
      await runRollouts(ctx, call.group);
      await pushGroup(ctx, call.group, [node.value.id]);
    }
    return ok(undefined);
  },

  async open(by, name, { voter = false, autoApprove = false, basicAuth = false }) {
    const password = basicAuth ? newSecret(ctx.random, "fleet-lock") : null;
    const value = { voter, autoApprove, passwordHash: password === null ? null : hashSecret(password) };
    const done = await attempt(ctx.store, () => decideOpen(ctx, by, name, value));
    if (!done.ok) return done;
    const opened: FleetLockOpened = {
      voter,
      autoApprove,
      basicAuth,
      user: basicAuth ? name : null,
      password,
    };
    return ok(opened);
  },

  async close(by, name) {
    const done = await attempt(ctx.store, () => decideOpen(ctx, by, name, null));
    return done.ok ? ok({ voter: false, autoApprove: false, basicAuth: false }) : done;
  },
});

/** By what a member is found: nothing that a secret could hash to. */
const credentialOf = ({ group, id }: Pick<FleetLockCall, "group" | "id">): string =>
  `fleet-lock ${group} ${createHash("sha256").update(id).digest("hex")}`;

const no = (kind: FleetLockKind, value: string): Result<never, FleetLockRefused> => err({ kind, value });

/** The group, if FleetLock is open there and the caller is who it wants. */
async function openGroup(
  ctx: Context,
  { group: name, user, password }: FleetLockCall,
): Promise<Result<Stored<GroupRecord> & { fleetLock: FleetLockRecord }, FleetLockRefused>> {
  const group = await ctx.store.group(name);
  const fleetLock = group?.value.fleetLock ?? null;
  if (group === null || fleetLock === null)
    return no("unknown_group", `FleetLock is not open in a group ${name}.`);
  const { passwordHash } = fleetLock;
  if (passwordHash === null) return ok({ ...group, fleetLock });
  const isRight =
    user === name && timingSafeEqual(Buffer.from(hashSecret(password ?? "")), Buffer.from(passwordHash));
  return isRight
    ? ok({ ...group, fleetLock })
    : no("unauthorized", `Group ${name} wants its user and password.`);
}

/** Who asks, as a member. Who asks for the first time is taken down, and waits for an operator unless told otherwise. */
async function decideMember(
  ctx: Context,
  call: FleetLockCall,
): Promise<Decision<Result<NodeId, FleetLockRefused>>> {
  const group = await openGroup(ctx, call);
  if (!group.ok) return { changes: [], answer: group };
  const known = await ctx.store.nodeByCredential(credentialOf(call));
  if (known !== null) {
    seen(ctx, known.value.id, call.from);
    return { changes: [], answer: admitted(known.value) };
  }
  const { voter, autoApprove } = group.value.fleetLock;
  if (!autoApprove) {
    const waiting = (await ctx.store.nodes(call.group)).filter(({ value }) => value.membership === "pending");
    if (waiting.length >= MOST_PENDING)
      return {
        changes: [],
        answer: no("not_approved", `${MOST_PENDING} others wait to be approved already.`),
      };
  }
  const node: NodeRecord = {
    id: newId(ctx.random, "n"),
    name: await nameFor(ctx, call.id),
    group: call.group,
    voter,
    labels: {},
    membership: autoApprove ? "approved" : "pending",
    credentialHash: credentialOf(call),
    createdAt: ctx.wall(),
    known: null,
    placed: null,
    presence: null,
    client: "fleet-lock",
  };
  const said = { name: node.name, group: call.group, voter, membership: node.membership, client: call.id };
  const changes: Change[] = [
    { kind: "group", value: group.value.value, expected: group.value.revision },
    { kind: "node", value: node, expected: 0 },
    audit(ctx, nodeActor(node.id, call.from), "node.joined", node.id, null, said),
  ];
  return { changes, answer: admitted(node) };
}

const admitted = ({ id, name, membership }: NodeRecord): Result<NodeId, FleetLockRefused> => {
  if (membership === "approved") return ok(id);
  return membership === "pending"
    ? no("not_approved", `${name} waits for an operator: baton nodes approve ${name}`)
    : no("not_approved", `${name} was revoked.`);
};

/** Its own id, where that can be a name and is nobody's. */
async function nameFor(ctx: Context, id: string): Promise<string> {
  if (Value.Check(NodeName, id) && (await ctx.store.nodeByName(id)) === null) return id;
  return `fleet-lock-${newId(ctx.random, "n").slice(2)}`;
}

/** Whether it serves is another, and no heartbeat of it tells onlookers so. */
const isShownAnew = ({ value, revision }: StoredNode): Change => ({
  kind: "node",
  value,
  expected: revision,
});

async function decideLock(
  ctx: Context,
  call: FleetLockCall,
  nodeId: NodeId,
): Promise<Decision<Result<void, FleetLockRefused>>> {
  // Read before anything is decided by it: a freeze that comes in between is noticed by the write.
  const { revision: policy } = await ctx.store.policy();
  const [node, group, lease] = await Promise.all([
    ctx.store.node(nodeId),
    ctx.store.group(call.group),
    ctx.store.lease(call.group),
  ]);
  if (node === null || group === null || lease === null)
    return { changes: [], answer: no("unknown_group", `There is no group ${call.group} any more.`) };
  const may = admitted(node.value);
  if (!may.ok) return { changes: [], answer: may };
  const view = await readGroupView(ctx, group.value, false, node.value);
  const step = lock(lease.value, nodeId, view, ctx.leasePolicy, ctx.now());
  if (!step.outcome.ok) {
    const { code, message } = step.outcome.error;
    ctx.log.info({ nodeId, group: call.group, code, reason: message }, "lease refused");
    return { changes: [], answer: denied(step.outcome.error) };
  }
  if (step.lease === lease.value) return { changes: [], answer: ok(undefined) };
  const entry = { token: step.outcome.value, client: call.id };
  const changes: Change[] = [
    { kind: "same-policy", expected: policy },
    { kind: "same-group", name: call.group, expected: group.revision },
    { kind: "lease", group: call.group, value: step.lease, expected: lease.revision },
    isShownAnew(node),
    audit(ctx, nodeActor(nodeId, call.from), "lease.committed", call.group, null, entry),
  ];
  return { changes, answer: ok(undefined) };
}

const FULL: readonly string[] = ["held-by", "quorum"];

const denied = ({ code, message }: Denied): Result<never, FleetLockRefused> =>
  no(FULL.includes(code) ? "full" : "closed", `${code}: ${message}`);

/** Whether anything was returned. */
async function decideUnlock(ctx: Context, call: FleetLockCall, nodeId: NodeId): Promise<Decision<boolean>> {
  const [lease, node] = await Promise.all([ctx.store.lease(call.group), ctx.store.node(nodeId)]);
  if (lease === null || node === null) return { changes: [], answer: false };
  const { lease: value, outcome: tokens } = unlock(lease.value, nodeId);
  if (tokens.length === 0) return { changes: [], answer: false };
  const after = { proof: "steady-state", reason: null };
  const changes: Change[] = [
    { kind: "lease", group: call.group, value, expected: lease.revision },
    isShownAnew(node),
    ...tokens.map((token) =>
      audit(ctx, nodeActor(nodeId, call.from), "lease.returned", call.group, { token, node: nodeId }, after),
    ),
  ];
  return { changes, answer: true };
}

async function decideOpen(
  ctx: Context,
  by: Principal,
  name: GroupName,
  fleetLock: FleetLockRecord | null,
): Promise<Decision<Result<void, Refusal>>> {
  const group = await ctx.store.group(name);
  if (group === null) return { changes: [], answer: noGroup(name) };
  const before = group.value.fleetLock ?? null;
  if (before === null && fleetLock === null) return { changes: [], answer: ok(undefined) };
  const after = { ...shown(fleetLock), ...(fleetLock === null ? {} : { opened: "anew" }) };
  const changes: Change[] = [
    { kind: "group", value: { ...group.value, fleetLock }, expected: group.revision },
    audit(ctx, actorOf(by), "group.edited", name, shown(before), after),
  ];
  return { changes, answer: ok(undefined) };
}

const shown = (record: FleetLockRecord | null | undefined) => ({
  fleetLock: record == null ? null : fleetLockSettings(record),
});

/** What everybody may know of it. */
export const fleetLockSettings = ({
  voter,
  autoApprove,
  passwordHash,
}: FleetLockRecord): FleetLockSettings => ({
  voter,
  autoApprove,
  basicAuth: passwordHash !== null,
});

function seen(ctx: Context, id: NodeId, from: string): void {
  const live = ctx.live.get(id);
  live.unwrittenSeenAt = ctx.wall();
  live.address = from;
}
