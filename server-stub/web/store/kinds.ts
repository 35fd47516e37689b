import type { EventKind } from "../../../protocol/event.ts";

/** Every kind of event, for who follows all; the compiler says when one is missing. */
const ALL: Readonly<Record<EventKind, true>> = {
  node: true,
  "node-removed": true,
  group: true,
  lease: true,
  job: true,
  rollout: true,
  "rollout-node": true,
  release: true,
  channel: true,
  policy: true,
  alert: true,
  token: true,
  webhook: true,
};
export const EVERY_KIND = Object.keys(ALL) as readonly EventKind[];
