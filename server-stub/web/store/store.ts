/**
 * Everything that pages show, in one place: collections that are filled by GETs and kept by one stream of events.
 * Made once by `main.tsx` and handed down by context; `useStore()` is how a page comes to it.
 */
import { batch, effect, untracked } from "@preact/signals";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Alert } from "../../../protocol/alert.ts";
import type { EventKind, FleetEvent } from "../../../protocol/event.ts";
import type { Group } from "../../../protocol/group.ts";
import type { LeaseView } from "../../../protocol/lease.ts";
import type { Node } from "../../../protocol/node.ts";
import type { Release } from "../../../protocol/release.ts";
import type { RolloutSummary } from "../../../protocol/rollout.ts";
import { type Client, createClient, readAll } from "../api/client.ts";
import { type Clock, createClock } from "./clock.ts";
import { type Collection, createCollection } from "./collection.ts";
import { createSession, type Session } from "./session.ts";
import { createStream, type Stream } from "./stream.ts";

export type Store = {
  readonly client: Client;
  readonly clock: Clock;
  readonly session: Session;
  readonly stream: Stream;
  readonly nodes: Collection<Node>;
  readonly groups: Collection<Group>;
  readonly rollouts: Collection<RolloutSummary>;
  readonly releases: Collection<Release>;
  /** Open ones, and those that were resolved while somebody looked. */
  readonly alerts: Collection<Alert>;
  /** Calls `listener` after events of these kinds, and after a reset (with null); until the answer is called. */
  readonly onEvents: (
    kinds: readonly EventKind[],
    listener: (event: FleetEvent | null) => void,
  ) => () => void;
};

/** How soon it is asked again where everybody is. */
const ASK_AGAIN_MS = 3_000;

export function createStore(fetchOf: typeof fetch): Store {
  const clock = createClock();
  const session = createSession(() => client);
  const signedOut = session.ended;
  const client = createClient({ fetch: fetchOf, heard: clock.heard, signedOut });
  const ready = () => stream.ready();
  const listed = <T>(path: string, name: string, key: (value: T) => string) =>
    createCollection<T>({ key, ready, fill: (more) => readAll<string, T>(client, path, name, more) });

  const nodes = createCollection<Node>({
    key: ({ id }) => id,
    ready,
    fill: async (more) => {
      const answer = await readAll<string, Node>(client, "/v1/nodes", "nodes", more);
      // Just started, the coordinator does not know of anybody yet; that somebody is as before is no event.
      // Of a FleetLock client nobody ever does.
      if (
        answer.ok &&
        answer.value.some(({ presence, client }) => presence === "unknown" && client === undefined)
      )
        setTimeout(() => nodes.refill(), ASK_AGAIN_MS);
      return answer;
    },
  });
  const groups = listed<Group>("/v1/groups", "groups", ({ name }) => name);
  const rollouts = listed<RolloutSummary>("/v1/rollouts", "rollouts", ({ id }) => id);
  const releases = createCollection<Release>({
    key: ({ version }) => version,
    ready,
    // Releases have no pages.
    fill: async () => {
      const answer = await client.get<{ releases: readonly Release[] }>("/v1/releases");
      return answer.ok ? { ok: true, value: answer.value.releases } : answer;
    },
  });
  const alerts = listed<Alert>("/v1/alerts?state=open", "alerts", ({ id }) => String(id));
  const all: readonly Pick<Collection<never>, "refill" | "clear">[] = [
    nodes,
    groups,
    rollouts,
    releases,
    alerts,
  ];

  const listeners = new Map<(event: FleetEvent | null) => void, ReadonlySet<EventKind>>();
  const take = (event: FleetEvent): void => {
    const { kind, subject, value } = event;
    switch (kind) {
      case "node":
        nodes.take(subject, value as Node | null);
        break;
      case "node-removed":
        nodes.take(subject, null);
        break;
      case "group":
        groups.take(subject, value as Group | null);
        nodes.refill();
        break;
      case "rollout":
        takeRollout(subject, value as RolloutSummary | null);
        break;
      case "release":
        releases.take(subject, value as Release | null);
        // What a node could run is shown with the node, and no event tells of each.
        nodes.refill();
        break;
      case "channel":
        nodes.refill();
        break;
      case "alert":
        alerts.take(subject, value as Alert | null);
        break;
      case "lease":
        takeLease(subject, value as LeaseView | null);
        break;
      // Pages that show these follow them by `onEvents`.
      case "job":
      case "rollout-node":
      case "policy":
      case "token":
      case "webhook":
        break;
    }
    for (const [listener, kinds] of listeners) if (kinds.has(kind)) listener(event);
  };
  /** A group is shown with its lease. */
  const takeLease = (name: string, lease: LeaseView | null): void => {
    const group = groups.get(name)?.peek();
    if (group !== undefined && lease !== null) groups.take(name, { ...group, lease });
  };
  /** What nodes are to run is another with another status. */
  const takeRollout = (id: string, value: RolloutSummary | null): void => {
    const before = rollouts.get(id)?.peek();
    rollouts.take(id, value);
    if (before?.status !== value?.status) nodes.refill();
  };

  const stream = createStream({
    client,
    now: () => clock.now.peek(),
    event: createQueue((events) => batch(() => events.forEach(take))),
    reset: () => {
      for (const each of all) each.refill();
      for (const listener of listeners.keys()) listener(null);
    },
    signedOut,
  });
  effect(() => {
    const { kind } = session.who.value;
    untracked(() => {
      if (kind === "in") stream.start();
      if (kind !== "out") return;
      stream.stop();
      for (const each of all) each.clear();
    });
  });
  return {
    client,
    clock,
    session,
    stream,
    nodes,
    groups,
    rollouts,
    releases,
    alerts,
    onEvents(kinds, listener) {
      listeners.set(listener, new Set(kinds));
      return () => listeners.delete(listener);
    },
  };
}

/** How many events are taken in one go: a frame is never held up by a flood. */
const AT_ONCE = 100;

/** Gathers what comes until the next frame. A page that is not seen has no frames: then a timer does it. */
function createQueue<T>(work: (items: readonly T[]) => void): (item: T) => void {
  const waiting: T[] = [];
  let asked = false;
  const run = (): void => {
    asked = false;
    work(waiting.splice(0, AT_ONCE));
    if (waiting.length > 0) ask();
  };
  const ask = (): void => {
    if (asked) return;
    asked = true;
    if (document.visibilityState === "hidden") setTimeout(run, 100);
    else requestAnimationFrame(run);
  };
  return (item) => {
    waiting.push(item);
    ask();
  };
}

export const StoreContext = createContext<Store | null>(null);

export function useStore(): Store {
  const store = useContext(StoreContext);
  if (store === null) throw new Error("there is no store above this component");
  return store;
}
