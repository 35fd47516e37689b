/**
 * Time in the small world, and what is left out of it.
 *
 * Nothing happens by itself: time passes in steps, and between two steps everything that is possible is possible in
 * any order. There are two lengths. A short one (20 s) is longer than any node may be silent and still serve (10 s)
 * or be online (15 s), and shorter than act-within (30 s), than after which a lease may be broken (34 s) and than a
 * reservation lasts (60 s): two of it are longer than the first two, three longer than all. A long one is longer
 * than everything, a probation and being overdue among it. That loses no order of events that matters: all that the
 * sources do with time is to compare it with such a limit, and every limit is crossed alone or with others.
 *
 * What waits between two tries (`retryAfterMs`, `retryMinMs`) waits no time at all: to be tried again at once is the
 * worst that can happen. One heartbeat makes a build good, where the default is three in a row.
 */
import type { Policy } from "../../../agent/core/machine/facts.ts";
import type { DurationMs, UptimeMs } from "../../../protocol/time.ts";
import type { LeasePolicy } from "../../../server-stub/core/lease/view.ts";
import type { Node, NodeIndex, World } from "./world.ts";

export const SHORT_MS: DurationMs = 20_000;
export const LONG_MS: DurationMs = 600_000;

export const AGENT_POLICY: Policy = {
  probationMs: 90_000,
  inconclusiveAfterMs: 30_000,
  drainMs: 20_000,
  flipMs: 10_000,
  prepareAttempts: 1,
  commitRounds: 2,
  leadershipSettleMs: 15_000,
  retryMinMs: 0,
  retryMaxMs: 0,
};

export const LEASE_POLICY: Omit<LeasePolicy, "epoch"> = {
  ttlMs: 60_000,
  actWithinMs: 10_000,
  maxActWithinMs: 120_000,
  overdueAfterMs: 150_000,
  retryAfterMs: 0,
};

export const HEARTBEAT_MS: DurationMs = 5_000;
export const OFFLINE_AFTER_MISSED = 3;
export const CONFIRM_AFTER_HEARTBEATS = 1;
/** How much longer than its probation a start may take before the guard ends it. */
export const DEADLINE_MARGIN_MS: DurationMs = 30_000;

/** What the agent's clock shows: it runs through suspend. */
export const uptimeOf = (world: World, { lagMs }: Node): UptimeMs => world.now - lagMs;

/** The hands of all clocks go on. `asleep`: the one node that does nothing meanwhile. */
export function passTime(world: World, ms: DurationMs, asleep: NodeIndex | null): World {
  const nodes = world.nodes.map((node, at) => {
    const { process } = node;
    if (process === null) return node;
    const isBusy = process.tasks.length > 0 || process.hooks.length > 0;
    const lostMs: DurationMs = at === asleep ? LOST_IN_SUSPEND * ms : 0;
    return { ...node, lagMs: node.lagMs + lostMs, process: isBusy ? { ...process, slow: true } : process };
  });
  return { ...world, now: world.now + ms, nodes };
}

/** The share of a suspend that the agent's clock misses: none, by `/proc/uptime`. */
const LOST_IN_SUSPEND = 0;

/** What is left of a deadline; of one that is over it does not matter for how long. */
export const left = (deadline: number, now: number): number => Math.max(0, deadline - now);

/** How old something is, as far as it matters. */
export const age = (since: number, now: number, atMost: DurationMs): number => Math.min(atMost, now - since);
