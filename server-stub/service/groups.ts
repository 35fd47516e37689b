import type { Group } from "../../protocol/group.ts";
import type { ChannelName, GroupName } from "../../protocol/names.ts";
import { err, ok, type Result } from "../../protocol/result.ts";
import { wantedFor } from "../core/desired.ts";
import { type LeaseRecord, NO_LEASE } from "../core/lease/record.ts";
import { isActiveRollout } from "../core/rollout/rollout.ts";
import { standing } from "../core/window/gate.ts";
import { checkWindows } from "../core/window/window.ts";
import type { Change, GroupRecord } from "../store/records.ts";
import { attempt, type Decision } from "./attempt.ts";
import { actorOf, audit } from "./audit.ts";
import type { Context } from "./context.ts";
import type { Groups, IfMatch, Principal, Refusal } from "./coordinator.ts";
import { fleetLockSettings } from "./fleet-lock.ts";
import { afterAllJoined, followed } from "./followed.ts";
import { freezing, thawing } from "./freeze.ts";
import { gatesAt } from "./gates.ts";
import { revokeJoinTokensOf } from "./join-tokens.ts";
import { leaseOf } from "./lease-view.ts";
import { groupFreeze } from "./policy.ts";
import { pushJobs } from "./push.ts";
import { noChannel, noGroup, refuse } from "./refusals.ts";
import { denyStale, groupTag } from "./tags.ts";

export const createGroups = (ctx: Context): Groups => ({
  async list() {
    const groups = await ctx.store.groups();
    return Promise.all(groups.map((group) => showGroup(ctx, group.value)));
  },

  get: (name) => showOne(ctx, name),

  async create(by, { name, mode = "independent", spare = null }) {
    const group: GroupRecord = { ...NEW, name, mode, spare, createdAt: ctx.wall() };
    const done = await attempt<Result<null, Refusal>>(ctx.store, async () => {
      if ((await ctx.store.group(name)) !== null) {
        return { changes: [], answer: refuse("name-taken", `There is a group ${name} already.`) };
      }
      const changes: Change[] = [
        { kind: "group", value: group, expected: 0 },
        audit(ctx, actorOf(by), "group.created", name, null, { mode, spare }),
      ];
      return { changes, answer: ok(null) };
    });
    return done.ok ? showOne(ctx, name) : done;
  },

  async edit(by, name, change, ifMatch = null) {
    const done = await attempt<Result<null, Refusal>>(ctx.store, async () => {
      const group = await ctx.store.group(name);
      if (group === null) return { changes: [], answer: noGroup(name) };
      const stale = denyStale(ifMatch, groupTag(group.value));
      if (stale !== null) return { changes: [], answer: stale };
      const before = group.value;
      const follows = "channel" in change && change.channel !== before.channel;
      const followsSince = change.channel === null ? null : await afterAllJoined(ctx);
      const after = { ...before, ...change, ...(follows ? { followsSince } : {}) };
      if (same(before, after)) return { changes: [], answer: ok(null) };
      const windows = checkWindows(change.windows ?? []);
      if (!windows.ok) return { changes: [], answer: err(windows.error) };
      const lease = await ctx.store.lease(name);
      const isOtherMode = lease !== null && after.mode !== before.mode;
      const denied = isOtherMode ? await denyMode(ctx, name, lease.value) : null;
      if (denied !== null) return { changes: [], answer: denied };
      const channel = follows ? await following(ctx, after.channel) : ok([]);
      if (!channel.ok) return { changes: [], answer: channel };
      const changes: Change[] = [
        { kind: "group", value: after, expected: group.revision },
        ...(isOtherMode ? [sameLease(name, lease.revision)] : []),
        ...channel.value,
        audit(ctx, actorOf(by), "group.edited", name, configured(before), configured(after)),
      ];
      return { changes, answer: ok(null) };
    });
    if (!done.ok) return done;
    await pushJobs(ctx, name);
    return showOne(ctx, name);
  },

  /** Refusals: `not-found`, `malformed` for a time that has passed. */
  async freeze(by, name, request) {
    const done = await attempt<Result<null, Refusal>>(ctx.store, async () => {
      const group = await ctx.store.group(name);
      if (group === null) return { changes: [], answer: noGroup(name) };
      const changes = freezing(ctx, by, groupFreeze(group), request);
      return changes.ok ? { changes: changes.value, answer: ok(null) } : { changes: [], answer: changes };
    });
    if (!done.ok) return done;
    await pushJobs(ctx, name);
    return showOne(ctx, name);
  },

  async unfreeze(by, name) {
    await attempt(ctx.store, async () => {
      const group = await ctx.store.group(name);
      return { changes: group === null ? [] : thawing(ctx, actorOf(by), groupFreeze(group)), answer: null };
    });
    await pushJobs(ctx, name);
    return showOne(ctx, name);
  },

  remove: (by, name, ifMatch = null) => attempt(ctx.store, () => decideRemove(ctx, by, name, ifMatch)),
});

/** Nobody is in it and nobody is still on the way: only then nothing depends on it. Its join tokens end with it. */
async function decideRemove(
  ctx: Context,
  by: Principal,
  name: GroupName,
  ifMatch: IfMatch,
): Promise<Decision<Result<Group, Refusal>>> {
  const no = (answer: Result<never, Refusal>) => ({ changes: [], answer });
  const group = await ctx.store.group(name);
  if (group === null) return no(noGroup(name));
  const stale = denyStale(ifMatch, groupTag(group.value));
  if (stale !== null) return no(stale);
  const nodes = await ctx.store.nodes(name);
  if (nodes.length > 0) {
    const message = `${name} still has ${nodes.length} ${nodes.length === 1 ? "node" : "nodes"}.`;
    return no(
      refuse("wrong-state", message, {
        hint: "Remove them, or move them to another group.",
        context: { state: "not-empty", nodes: nodes.length },
      }),
    );
  }
  const [rollout] = await ctx.store.unfinishedRollouts(name);
  if (rollout !== undefined) {
    const { id, status: state } = rollout.value;
    return no(
      refuse("wrong-state", `Rollout ${id} has ${name} and is not over (${state}).`, {
        context: { state, rollout: id },
      }),
    );
  }
  const { mode, spare } = group.value;
  const changes: Change[] = [
    { kind: "remove-group", name, expected: group.revision },
    audit(ctx, actorOf(by), "group.removed", name, { mode, spare }, null),
    ...(await revokeJoinTokensOf(ctx, by, name)),
  ];
  return { changes, answer: ok(await showGroup(ctx, group.value)) };
}

/** The channel is written, so that it is not removed meanwhile. */
async function following(ctx: Context, name: ChannelName | null): Promise<Result<Change[], Refusal>> {
  if (name === null) return ok([]);
  const channel = await ctx.store.channel(name);
  if (channel === null) return noChannel(name);
  return ok([{ kind: "channel", value: channel.value, expected: channel.revision }]);
}

/** Nobody may have taken it since it was read. */
const sameLease = (group: GroupName, expected: number): Change => ({ kind: "same-lease", group, expected });

/** The rules do not change under who is at work by them. */
async function denyMode(
  ctx: Context,
  name: GroupName,
  { holders, broken }: LeaseRecord,
): Promise<Result<never, Refusal> | null> {
  if (holders.length + broken.length > 0) {
    return refuse("wrong-state", `The lease of ${name} is held, or broken and not settled.`, {
      context: { state: "held" },
    });
  }
  const rollouts = await ctx.store.unfinishedRollouts(name);
  const active = rollouts.find(({ value }) => isActiveRollout(value));
  if (active === undefined) return null;
  return refuse("rollout-active", `Rollout ${active.value.id} is ${active.value.status} in ${name}.`);
}

async function showOne(ctx: Context, name: GroupName): Promise<Result<Group, Refusal>> {
  const group = await ctx.store.group(name);
  return group === null ? noGroup(name) : ok(await showGroup(ctx, group.value));
}

async function showGroup(ctx: Context, group: GroupRecord): Promise<Group> {
  const lease = await ctx.store.lease(group.name);
  const { name, mode, spare, windows, channel, createdAt } = group;
  const desired = wantedFor(group.wanted, null, await followed(ctx, group));
  const { value: fleet } = await ctx.store.policy();
  return {
    name,
    mode,
    spare,
    desired,
    windows: windows === null ? null : [...windows],
    freeze: standing(group.freeze, ctx.wall()),
    channel,
    gate: gatesAt(fleet, ctx.wall())(group),
    nodes: (await ctx.store.nodes(name)).length,
    lease: await leaseOf(ctx, group, lease?.value ?? NO_LEASE),
    createdAt,
    ...(group.fleetLock == null ? {} : { fleetLock: fleetLockSettings(group.fleetLock) }),
  };
}

const NEW = { wanted: null, windows: null, freeze: null, channel: null, followsSince: null } as const;

const configured = ({ mode, spare, windows, channel }: GroupRecord) => ({ mode, spare, windows, channel });

const same = (a: GroupRecord, b: GroupRecord): boolean =>
  JSON.stringify(configured(a)) === JSON.stringify(configured(b));
