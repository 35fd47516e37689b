/**
 * Lets go of what is over and old, a little at a time: a look every ten minutes, and while there is something left a
 * few milliseconds in each tick. It waits for nobody and nobody waits for it: what one look did not get to, the next
 * will.
 */
import type { Prunable } from "../store/records.ts";
import type { Context } from "./context.ts";
import { DAY_MS } from "./retention.ts";

/** Between two looks, and between two sweeps of what was uploaded. */
const LOOK_EVERY_MS = 600_000;
const SWEEP_EVERY_MS = 3_600_000;
/** Work in one tick, and records in one step of it. */
const MAX_WORK_MS = 50;
const BATCH = 200;

const PRUNED: readonly Prunable[] = ["events", "jobs", "rollouts", "audit", "alerts", "deliveries"];

/** What a tick does for retention. Nothing while the wall clock is a day off: it may be about to be set right. */
export function createRetention(ctx: Context): () => Promise<void> {
  let due: Prunable[] = [...PRUNED];
  let lookedAt = ctx.now();
  let sweptAt = ctx.now();
  return async () => {
    if (Math.abs(ctx.wall() - ctx.now()) > DAY_MS) return;
    if (ctx.now() - lookedAt >= LOOK_EVERY_MS) {
      lookedAt = ctx.now();
      due = [...PRUNED];
    }
    const keep = ctx.retention.maxEvents;
    const until = ctx.now() + MAX_WORK_MS;
    for (let what = due[0]; what !== undefined && ctx.now() < until; what = due[0]) {
      const gone = await ctx.store.prune(what, ctx.wall() - ctx.retention[what], BATCH, keep);
      if (gone > 0) ctx.log.debug({ what, gone }, "let go of what is old");
      if (gone < BATCH) due.shift();
    }
    if (ctx.now() - sweptAt < SWEEP_EVERY_MS) return;
    sweptAt = ctx.now();
    const removed = await ctx.repository.sweep(ctx.retention.bundles, ctx.wall());
    if (removed.length > 0) ctx.log.info({ removed }, "removed files that no release names");
  };
}
