import { EVENT_KINDS, type EventKind } from "../../../protocol/event.ts";
import type { NodeId } from "../../../protocol/names.ts";
import type { EventsAtWork } from "../coordinator.ts";
import type { Parts } from "../parts.ts";
import { createEvents } from "./events.ts";
import { createNodeNews, type NodeNews } from "./node-news.ts";
import type { Readers } from "./views.ts";

/** Events, and the news of nodes, of one process. */
export type SharedEvents = {
  readonly events: EventsAtWork;
  readonly news: NodeNews;
  /** Calls for each node that was heard here, until the returned function is called. */
  readonly onHeard: (listener: (nodeId: NodeId) => void) => () => void;
  /** The same was heard by another coordinator. */
  readonly heardElsewhere: (nodeId: NodeId) => void;
};

/** What whoever decides shows of a subject; null when that is this one, or does not answer. */
export type ShowsElsewhere = (
  kind: EventKind,
  subject: string,
) => Promise<{ readonly value: unknown } | null>;

/** Unless it is set otherwise. */
const STREAMS_PER_TOKEN = 50;

/**
 * The events of a process in which one coordinator follows upon another over the same store: streams that are open stay
 * open. `shows`: of whoever is the coordinator at the moment; `elsewhere` is asked first.
 */
export async function createSharedEvents(
  { store, log, clock, streamsPerToken = STREAMS_PER_TOKEN }: Parts,
  shows: () => Readers,
  elsewhere: ShowsElsewhere,
): Promise<SharedEvents> {
  const { value } = await store.meta();
  const anchorMs = clock.now() - clock.uptime();
  const kept = createNodeNews();
  const listeners = new Set<(nodeId: NodeId) => void>();
  const news: NodeNews = {
    ...kept,
    heard: (nodeId) => {
      kept.heard(nodeId);
      for (const listener of listeners) listener(nodeId);
    },
  };
  const read = (kind: EventKind) => async (subject: string) => {
    const there = await elsewhere(kind, subject);
    return there === null ? shows()[kind](subject) : there.value;
  };
  const readers = Object.fromEntries(EVENT_KINDS.map((kind) => [kind, read(kind)])) as Readers;
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
  return {
    events,
    news,
    onHeard: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    heardElsewhere: (nodeId) => kept.heard(nodeId),
  };
}
