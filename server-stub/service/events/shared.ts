import type { EventsAtWork } from "../coordinator.ts";
import type { Parts } from "../parts.ts";
import { createEvents } from "./events.ts";
import { createNodeNews, type NodeNews } from "./node-news.ts";
import type { Readers } from "./views.ts";

/** Unless it is set otherwise. */
const STREAMS_PER_TOKEN = 50;

/**
 * The events of a process in which one coordinator follows upon another over the same store: streams that are open stay
 * open. `shows`: of whoever is the coordinator at the moment.
 */
export async function createSharedEvents(
  { store, log, clock, streamsPerToken = STREAMS_PER_TOKEN }: Parts,
  shows: () => Readers,
): Promise<{ readonly events: EventsAtWork; readonly news: NodeNews }> {
  const { value } = await store.meta();
  const anchorMs = clock.now() - clock.uptime();
  const news = createNodeNews();
  const readers = new Proxy({} as Readers, { get: (_, kind) => Reflect.get(shows(), kind) as unknown });
  const events = createEvents(
    {
      store,
      log,
      now: () => anchorMs + clock.uptime(),
      wall: () => clock.now(),
      streamsPerToken,
      nodeNews: news,
      leasePolicy: { epoch: value.tokenEpoch },
    },
    readers,
  );
  return { events, news };
}
