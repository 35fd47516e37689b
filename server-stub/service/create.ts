import { createAccess } from "./access.ts";
import { createChannels } from "./channels.ts";
import { type Context, createContext } from "./context.ts";
import type { Coordinator } from "./coordinator.ts";
import { createGroups } from "./groups.ts";
import { createJobs } from "./jobs.ts";
import { createLeases } from "./leases.ts";
import { createNodes } from "./nodes.ts";
import type { Parts } from "./parts.ts";
import { createPolicies } from "./policy.ts";
import { createReleases } from "./releases.ts";
import { createRequests } from "./requests.ts";
import { resumeLeases } from "./restart.ts";
import { createRollouts } from "./rollouts.ts";
import { createSessions } from "./sessions.ts";
import { createStartOnPublish } from "./start-on-publish.ts";
import { createTick } from "./tick.ts";
import { writeLastSeen } from "./tick-presence.ts";

/** How much of the alerts is ever shown at once. */
const MAX_ALERTS = 1_000;

/**
 * Puts the coordinator together and takes up where the last one left off: reservations are renewed, all sessions
 * have ended, and nobody has been heard yet. Everything with an effect comes in as a part. One per store.
 */
export async function createCoordinator(parts: Parts): Promise<Coordinator> {
  const ctx = await createContext(parts);
  await resumeLeases(ctx);
  const rollouts = createRollouts(ctx);
  const starts = createStartOnPublish(ctx, (by, request) => rollouts.start(by, request));
  const tick = createTick(ctx, starts);
  return {
    sessions: createSessions(ctx),
    leases: createLeases(ctx),
    nodes: createNodes(ctx),
    groups: createGroups(ctx),
    policy: createPolicies(ctx),
    channels: createChannels(ctx, starts),
    rollouts,
    jobs: createJobs(ctx),
    access: createAccess(ctx),
    releases: createReleases(ctx),
    audit: { list: (limit, filter) => ctx.store.audit(limit, filter) },
    requests: createRequests(ctx),
    alerts: { list: () => ctx.store.alerts({ state: "all", limit: MAX_ALERTS }) },
    tick,
    notReady: () => notReady(ctx),
    async close() {
      await ctx.live.idle();
      await writeLastSeen(ctx);
    },
  };
}

/** It can do its work: the store answers, and what agents verify has not expired. */
async function notReady(ctx: Context): Promise<string[]> {
  const expired = ctx.repository.expiring(ctx.wall()).filter(({ leftMs }) => leftMs <= 0);
  const reasons = expired.map(({ role, expires }) => `The ${role} metadata expired on ${expires}.`);
  try {
    await ctx.store.meta();
  } catch (error) {
    ctx.log.error({ err: error }, "the store does not answer");
    reasons.push("The store does not answer.");
  }
  return reasons;
}
