import type { Result } from "../../../protocol/result.ts";
import type { Store } from "../../store/store.ts";
import type { Coordinator } from "../coordinator.ts";
import type { Readers } from "./views.ts";

type Services = Pick<Coordinator, "nodes" | "groups" | "leases" | "jobs" | "rollouts" | "releases">;

/**
 * Reads each subject as `GET` of it would answer a viewer. Tokens and webhooks are for administrators only, and what
 * all are told is one value: of them it is only said that they changed.
 */
export const readersOf = (services: Services, store: Store): Readers => {
  const { nodes, groups, leases, jobs, rollouts, releases } = services;
  return {
    node: async (id) => orNull(await nodes.get(id)),
    "node-removed": nothing,
    group: async (name) => orNull(await groups.get(name)),
    lease: async (group) => orNull(await leases.view(group)),
    job: async (id) => orNull(await jobs.get(id)),
    rollout: async (id) => orNull(await rollouts.get(id)),
    "rollout-node": nothing,
    release: async (version) =>
      (await releases.list()).releases.find((release) => release.version === version) ?? null,
    channel: nothing,
    policy: nothing,
    alert: (id) => store.alert(Number(id)),
    token: nothing,
    webhook: nothing,
  };
};

const orNull = <T>(found: Result<T, unknown>): T | null => (found.ok ? found.value : null);

const nothing = (): Promise<null> => Promise.resolve(null);
