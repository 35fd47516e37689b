import type { Result } from "../../../protocol/result.ts";
import type { RolloutSummary } from "../../../protocol/rollout.ts";
import type { EpochMs } from "../../../protocol/time.ts";
import { placeOf } from "../../core/rollout/places.ts";
import type { RolloutRecord } from "../../core/rollout/rollout.ts";
import { showHead, showPlace } from "../../core/rollout/show.ts";
import type { Store } from "../../store/store.ts";
import type { Coordinator } from "../coordinator.ts";
import type { Readers } from "./views.ts";

type Services = Pick<
  Coordinator,
  "nodes" | "groups" | "leases" | "jobs" | "channels" | "policy" | "releases"
>;

/**
 * Reads each subject as `GET` of it would answer a viewer. Tokens and webhooks are for administrators only, and what
 * all are told is one value: of them it is only said that they changed.
 */
export const readersOf = (services: Services, store: Store, wall: () => EpochMs): Readers => {
  const { nodes, groups, leases, jobs, channels, policy, releases } = services;
  return {
    node: async (id) => orNull(await nodes.get(id)),
    "node-removed": nothing,
    group: async (name) => orNull(await groups.get(name)),
    lease: async (group) => orNull(await leases.view(group)),
    job: async (id) => orNull(await jobs.get(id)),
    rollout: async (id) => {
      const stored = await store.rollout(id);
      return stored === null ? null : summaryOf(stored.value, wall());
    },
    "rollout-node": async (subject) => {
      const [rolloutId = "", nodeId = ""] = subject.split("/");
      const stored = await store.rollout(rolloutId);
      const place = stored === null ? undefined : placeOf(stored.value, nodeId);
      return place === undefined ? null : showPlace(place);
    },
    release: async (version) =>
      (await releases.list()).releases.find((release) => release.version === version) ?? null,
    channel: async (name) => orNull(await channels.get(name)),
    policy: async () => orNull(await policy.get()),
    alert: (id) => store.alert(Number(id)),
    token: nothing,
    webhook: nothing,
  };
};

/** Its nodes are told of one by one. */
function summaryOf({ nodes: _nodes, ...head }: RolloutRecord, now: EpochMs): RolloutSummary {
  return showHead(head, now);
}

const orNull = <T>(found: Result<T, unknown>): T | null => (found.ok ? found.value : null);

const nothing = (): Promise<null> => Promise.resolve(null);
