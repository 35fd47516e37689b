/**
 * What changed, as rows that onlookers follow. They are written together with the change itself, so that who has read
 * them up to some id has missed nothing. A row says only what is new; its value is read when somebody is told.
 */
import type { Alert } from "../../protocol/alert.ts";
import type { EventKind } from "../../protocol/event.ts";
import type { EpochMs } from "../../protocol/time.ts";
import type { Change } from "./records.ts";

export type EventDraft = { readonly kind: EventKind; readonly subject: string };
export type EventRecord = EventDraft & { readonly id: number; readonly at: EpochMs };

type Table = {
  readonly [K in Change["kind"]]: (change: Extract<Change, { kind: K }>) => readonly EventDraft[];
};

/** Nothing that anybody sees is new, or other changes of the batch say it. */
const silent = () => [];

/** Every kind of change is decided here. */
const EVENTS: Table = {
  meta: silent,
  group: ({ value }) => [{ kind: "group", subject: value.name }],
  "in-seat": silent,
  "same-group": silent,
  "same-lease": silent,
  policy: () => [{ kind: "policy", subject: "fleet" }],
  "same-policy": silent,
  channel: ({ value }) => [{ kind: "channel", subject: value.name }],
  "remove-channel": ({ name }) => [{ kind: "channel", subject: name }],
  lease: ({ group }) => [{ kind: "lease", subject: group }],
  node: ({ value }) => [{ kind: "node", subject: value.id }],
  "remove-node": ({ id }) => [{ kind: "node-removed", subject: id }],
  "remove-group": ({ name }) => [{ kind: "group", subject: name }],
  // A node is shown with its job.
  job: ({ value }) => [
    { kind: "job", subject: value.id },
    { kind: "node", subject: value.nodeId },
  ],
  // Who changes nothing about a node keeps the same object. Of a new rollout all is new: it is read whole.
  rollout: ({ value, before }) => [
    { kind: "rollout", subject: value.id },
    ...value.nodes
      .filter((node, at) => before !== undefined && node !== before.nodes[at])
      .map(({ nodeId }) => ({ kind: "rollout-node" as const, subject: `${value.id}/${nodeId}` })),
  ],
  "operator-token": ({ value, isUse }) => (isUse === true ? [] : [{ kind: "token", subject: value.id }]),
  "join-token": ({ value }) => [{ kind: "token", subject: value.id }],
  request: silent,
  "remove-request": silent,
  "forget-requests": silent,
  "sign-in": silent,
  "remove-sign-in": silent,
  "sign-in-link": silent,
  "use-sign-in-link": silent,
  "forget-sign-ins": silent,
  log: silent,
  audit: silent,
  announce: ({ event, subject }) => [{ kind: event, subject }],
  // Which alerts were touched is known only when it is written.
  raise: silent,
  resolve: silent,
  acknowledge: silent,
  webhook: ({ value }) => [{ kind: "webhook", subject: value.id }],
  "remove-webhook": ({ id }) => [{ kind: "webhook", subject: id }],
  notice: silent,
  delivery: silent,
  "delivery-sent": silent,
  "deliveries-due": silent,
};

/** The events that a change means. `alerts`: those that it has opened, closed or marked. */
export function eventsOf(change: Change, alerts: readonly Alert[] = []): readonly EventDraft[] {
  const own = (EVENTS[change.kind] as (change: Change) => readonly EventDraft[])(change);
  if (alerts.length === 0) return own;
  return [...own, ...alerts.map(({ id }) => ({ kind: "alert" as const, subject: String(id) }))];
}

/** Of each subject only the last, in the order of those. */
export function lastOfEach<T extends EventDraft>(events: readonly T[]): T[] {
  const last = new Map<string, T>();
  for (const event of events) {
    const key = `${event.kind} ${event.subject}`;
    last.delete(key);
    last.set(key, event);
  }
  return [...last.values()];
}
