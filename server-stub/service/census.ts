import { setImmediate as nextTurn } from "node:timers/promises";
import type { Build, Platform } from "../../protocol/build.ts";
import { buildFor, isBehind } from "../core/desired.ts";
import { holdingsOf, stateOf } from "../core/presence/presence.ts";
import type { StoredNode } from "../store/records.ts";
import type { Context } from "./context.ts";
import type { Census, CountedNode } from "./counted.ts";
import { rolloutWith, wantedOf } from "./node-view.ts";

/** Nodes that are looked at before others get their turn. */
const AT_ONCE = 1_000;

/** Counts the fleet. Reads what is needed for that and no more: ten thousand nodes must not hold anybody up. */
export async function takeCensus(ctx: Context): Promise<Census> {
  const { store } = ctx;
  const nodes = await store.nodes();
  const [count, busy, openAlerts, meta] = await Promise.all([
    createCount(ctx),
    store.busyLeases(),
    store.countOpenAlerts(),
    store.meta(),
  ]);
  const now = ctx.now();
  const counted: CountedNode[] = [];
  for (const [index, node] of nodes.entries()) {
    if (index % AT_ONCE === AT_ONCE - 1) await nextTurn();
    const one = count.node(node);
    if (one !== null) counted.push(one);
  }
  return {
    nodes: counted,
    sessions: countSessions(ctx),
    leases: busy.flatMap(({ value }) => [
      ...value.holders.map(({ phase, sinceMs }) => ({ phase, ageMs: now - sinceMs })),
      ...value.broken.map(({ atMs }) => ({ phase: "broken" as const, ageMs: now - atMs })),
    ]),
    rollouts: count.rollouts,
    openAlerts,
    expiries: ctx.repository.expiries(),
    backedUpAt: meta.value.backedUpAt ?? null,
  };
}

async function createCount(ctx: Context) {
  const { store } = ctx;
  const [groups, channels, unfinished] = await Promise.all([
    store.groups(),
    store.channels(),
    store.unfinishedRollouts(),
  ]);
  const byName = new Map(groups.map(({ value }) => [value.name, value]));
  const following = new Map(channels.map(({ value }) => [value.name, value]));
  const rollouts = unfinished.map(({ value }) => value);
  const { releases } = ctx.repository.releases();
  // Asked for once: it is read from a file.
  const now = ctx.now();
  const builds = new Map<string, Build | null>();
  /** Many nodes want the same of few releases. */
  const target = (release: string | null, platform: Platform | null): Build | null => {
    const key = `${release} ${platform}`;
    const known = builds.get(key);
    if (known !== undefined) return known;
    const build = buildFor(releases, release, platform);
    builds.set(key, build);
    return build;
  };
  return {
    rollouts: rollouts.map(({ status }) => status),
    node: ({ value: node }: StoredNode): CountedNode | null => {
      const group = byName.get(node.group);
      if (group === undefined) return null;
      const channel = (group.channel === null ? undefined : following.get(group.channel)) ?? null;
      const wanted = wantedOf(node, { group, channel, rollout: rolloutWith(rollouts, node.id) });
      const presence = ctx.live.presence(node.id);
      const heard = presence?.heartbeat == null ? null : presence;
      const known = heard === null ? node.known : heard.hello;
      const holdings = heard === null ? node.known?.holdings : holdingsOf(heard);
      return {
        membership: node.membership,
        presence: stateOf(presence, ctx.timing, now),
        behind: isBehind(known?.build ?? null, target(wanted, known?.platform ?? null)),
        version: known?.build.version ?? null,
        state: heard?.heartbeat?.update.state ?? null,
        hold: holdings?.hold ?? false,
        quarantines: (holdings?.quarantine.length ?? 0) > 0,
      };
    },
  };
}

/** A node that is online without a door of its own asks by HTTP. */
function countSessions(ctx: Context): Census["sessions"] {
  const counts = { websocket: 0, http: 0 };
  const now = ctx.now();
  for (const [, { presence, door }] of ctx.live.all()) {
    if (door !== undefined) counts.websocket += 1;
    else if (stateOf(presence, ctx.timing, now) === "online") counts.http += 1;
  }
  return counts;
}
