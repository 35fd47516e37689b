import { createAccess } from "./access.ts";
import { createContext } from "./context.ts";
import type { Coordinator } from "./coordinator.ts";
import { createGroups } from "./groups.ts";
import { createJobs } from "./jobs.ts";
import { createLeases } from "./leases.ts";
import { createNodes } from "./nodes.ts";
import type { Parts } from "./parts.ts";
import { createReleases } from "./releases.ts";
import { resumeLeases } from "./restart.ts";
import { createRollouts } from "./rollouts.ts";
import { createSessions } from "./sessions.ts";
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
  const tick = createTick(ctx);
  return {
    sessions: createSessions(ctx),
    leases: createLeases(ctx),
    nodes: createNodes(ctx),
    groups: createGroups(ctx),
    rollouts: createRollouts(ctx),
    jobs: createJobs(ctx),
    access: createAccess(ctx),
    releases: createReleases(ctx),
    audit: { list: (limit) => ctx.store.audit(limit) },
    alerts: { list: () => ctx.store.alerts(MAX_ALERTS) },
    tick,
    async notReady() {
      const reasons: string[] = [];
      const { releases } = ctx.repository.releases();
      if (releases.length === 0) reasons.push("Nothing has been published yet, so nodes cannot be updated.");
      return reasons;
    },
    async close() {
      await ctx.live.idle();
      await writeLastSeen(ctx);
    },
  };
}
