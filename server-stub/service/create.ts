import { createAccess } from "./access.ts";
import { createAlerts } from "./alerts.ts";
import { takeCensus } from "./census.ts";
import { createChannels } from "./channels.ts";
import { createClockWatch } from "./clock-watch.ts";
import { createContext } from "./context.ts";
import type { Coordinator } from "./coordinator.ts";
import { createEvents } from "./events/events.ts";
import { readersOf } from "./events/readers.ts";
import { createFleetLock } from "./fleet-lock.ts";
import { createGroups } from "./groups.ts";
import { createJobs } from "./jobs.ts";
import { createLeases } from "./leases.ts";
import { createNodes } from "./nodes.ts";
import type { Parts } from "./parts.ts";
import { createPolicies } from "./policy.ts";
import { createReadiness } from "./readiness.ts";
import { createReleases } from "./releases.ts";
import { createRequests } from "./requests.ts";
import { resumeLeases } from "./restart.ts";
import { createRollouts, startAndRun } from "./rollouts.ts";
import { createSessions } from "./sessions.ts";
import { createSignIns } from "./sign-ins.ts";
import { createStartOnPublish } from "./start-on-publish.ts";
import { createTick } from "./tick.ts";
import { writeLastSeen } from "./tick-presence.ts";
import { createPost } from "./webhooks/post.ts";
import { createWebhooks } from "./webhooks/webhooks.ts";
import { createDeliveryWorker } from "./webhooks/worker.ts";

/** Unless it is set otherwise. */
const SIGNED_IN_FOR_MS = 12 * 3_600_000;
const WEBHOOK_TIMEOUT_MS = 10_000;

/**
 * Puts the coordinator together and takes up where the last one left off: reservations are renewed, all sessions
 * have ended, and nobody has been heard yet. Everything with an effect comes in as a part. One per store.
 */
export async function createCoordinator(parts: Parts): Promise<Coordinator> {
  const ctx = await createContext(parts);
  const { standsBy = false } = parts;
  if (!standsBy) await resumeLeases(ctx);
  const rollouts = createRollouts(ctx);
  const starts = createStartOnPublish(ctx, (...asked) => startAndRun(ctx, ...asked));
  const engine = createTick(ctx, starts, parts.machine);
  const services = {
    leases: createLeases(ctx),
    fleetLock: createFleetLock(ctx),
    nodes: createNodes(ctx),
    groups: createGroups(ctx),
    rollouts,
    policy: createPolicies(ctx),
    channels: createChannels(ctx, starts),
    jobs: createJobs(ctx),
    releases: createReleases(ctx),
  };
  const { allowPrivate = false, timeoutMs = WEBHOOK_TIMEOUT_MS, ...lookup } = parts.webhooks ?? {};
  const post = createPost({ allowPrivate, timeoutMs, now: ctx.wall, ...lookup });
  const deliveries = createDeliveryWorker(ctx, post);
  const shows = readersOf(services, ctx.store, ctx.wall);
  const events = parts.shared?.events ?? createEvents(ctx, shows);
  const clock = createClockWatch(parts.clock);
  let tickedAt = ctx.now();
  const readiness = createReadiness(ctx, clock, () => tickedAt);
  return {
    ...services,
    sessions: createSessions(ctx),
    access: createAccess(ctx),
    signIns: createSignIns(ctx, parts.signedInForMs ?? SIGNED_IN_FOR_MS),
    events,
    shows,
    audit: { list: (limit, filter) => ctx.store.audit(limit, filter) },
    requests: createRequests(ctx),
    alerts: createAlerts(ctx),
    webhooks: createWebhooks(ctx, post, { allowPrivate }),
    async tick() {
      clock.look();
      if (!standsBy) await engine();
      tickedAt = ctx.now();
      events.tick();
      if (!standsBy) deliveries.tick();
    },
    census: () => takeCensus(ctx),
    readiness,
    async close() {
      if (parts.shared === undefined) events.close();
      await deliveries.close();
      await ctx.live.idle();
      if (!standsBy) await writeLastSeen(ctx);
    },
  };
}
