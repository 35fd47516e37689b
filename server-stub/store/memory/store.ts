import type { NodeId } from "../../../protocol/names.ts";
import type { EpochMs } from "../../../protocol/time.ts";
import { hasGroup } from "../../core/rollout/places.ts";
import { isUnfinished } from "../../core/rollout/rollout.ts";
import { createPoke } from "../poke.ts";
import type { AlertKind, Stored } from "../records.ts";
import type { Store } from "../store.ts";
import { listAlerts } from "./alerts.ts";
import { applyAll } from "./apply.ts";
import { listActiveJobs, listAudit, listJobs } from "./lists.ts";
import { readPolicy } from "./policy.ts";
import { pruneMemory } from "./prune.ts";
import { readSignIns } from "./sign-ins.ts";
import { emptyState, isBusy, logOf, type MemoryState } from "./state.ts";
import { dueDeliveries, listDeliveries, listWebhooks } from "./webhooks.ts";

/**
 * The store without a disk, for simulations and quick tests: the same rules, and nothing survives but `state`, where
 * the caller keeps it.
 */
export function openMemoryStore(now: () => EpochMs = Date.now, state: MemoryState = emptyState()): Store {
  const changed = createPoke();
  const lastSeen = new Map<NodeId, EpochMs>();
  const found = <T>(stored: Stored<T> | undefined) => Promise.resolve(stored ?? null);
  const list = <T>(items: Iterable<Stored<T>>, keep: (value: T) => boolean) =>
    [...items].filter((item) => keep(item.value));
  const seen = <T extends Stored<{ readonly id: NodeId }>>(stored: T) => ({
    ...stored,
    lastSeenAt: lastSeen.get(stored.value.id) ?? null,
  });
  const nodeWhere = (keep: (value: { id: NodeId; name: string; credentialHash: string }) => boolean) => {
    const node = list(state.nodes.values(), keep)[0];
    return Promise.resolve(node === undefined ? null : seen(node));
  };

  return {
    apply: async (changes) => {
      const applied = applyAll(state, changes, now());
      if (applied.ok) changed.poke();
      return applied;
    },
    touchNodes(batch) {
      for (const { id, at } of batch) if (state.nodes.has(id)) lastSeen.set(id, at);
      return Promise.resolve();
    },
    meta: async () => {
      const meta = state.meta.get("meta");
      if (meta === undefined) throw new Error("the store has no meta record");
      return meta;
    },
    ...readPolicy(state),
    ...readSignIns(state),
    group: (name) => found(state.groups.get(name)),
    groups: () => Promise.resolve([...state.groups.values()].sort(by((group) => group.value.name))),
    lease: (group) => found(state.leases.get(group)),
    busyLeases: () =>
      Promise.resolve(
        [...state.leases]
          .filter(([, lease]) => isBusy(lease.value))
          .map(([group, lease]) => ({ ...lease, group })),
      ),
    node: (id) => {
      const node = state.nodes.get(id);
      return Promise.resolve(node === undefined ? null : seen(node));
    },
    nodes: (group) =>
      Promise.resolve(
        list(state.nodes.values(), (node) => group === undefined || node.group === group)
          .map(seen)
          .sort(by((node) => node.value.name)),
      ),
    nodeByName: (name) => nodeWhere((node) => node.name === name),
    nodeByCredential: (hash) => nodeWhere((node) => node.credentialHash === hash),
    job: (id) => found(state.jobs.get(id)),
    activeJob: (nodeId) => found(state.jobs.get(state.activeJobs.get(nodeId) ?? "")),
    activeJobsOf: (group) => {
      const active = [...state.activeJobs.values()].map((id) => state.jobs.get(id));
      return Promise.resolve(
        active.filter((job) => job?.value.group === group).filter((job) => job !== undefined),
      );
    },
    activeDiagnosis: (nodeId) => found(state.jobs.get(state.activeDiagnoses.get(nodeId) ?? "")),
    activeDiagnoses: () => {
      const active = [...state.activeDiagnoses.values()].map((id) => state.jobs.get(id));
      return Promise.resolve(active.filter((job) => job !== undefined));
    },
    lastJob: (nodeId) => found(state.jobs.get(state.lastJobs.get(nodeId) ?? "")),
    activeJobs: () => Promise.resolve(listActiveJobs(state)),
    jobsById: (ids) =>
      Promise.resolve(ids.map((id) => state.jobs.get(id)).filter((job) => job !== undefined)),
    jobs: (query) => Promise.resolve(listJobs(state, query)),
    log: (id, from, limit) => Promise.resolve(logOf(state, id).slice(from, from + limit)),
    logLength: (id) => Promise.resolve(logOf(state, id).length),
    logSize: (id) => {
      const lines = logOf(state, id);
      return Promise.resolve({
        lines: lines.length,
        characters: lines.reduce((sum, { text }) => sum + text.length, 0),
      });
    },
    rollout: (id) => found(state.rollouts.get(id)),
    rollouts: () => Promise.resolve([...state.rollouts.values()].reverse()),
    unfinishedRollouts: (group) =>
      Promise.resolve(
        list(
          state.rollouts.values(),
          (rollout) => isUnfinished(rollout) && (group === undefined || hasGroup(rollout, group)),
        ),
      ),
    operatorTokens: () => Promise.resolve([...state.operatorTokens.values()]),
    operatorToken: (id) => found(state.operatorTokens.get(id)),
    operatorTokenByHash: (hash) =>
      found(list(state.operatorTokens.values(), (token) => token.hash === hash)[0]),
    joinTokens: () => Promise.resolve([...state.joinTokens.values()]),
    joinTokenByHash: (hash) => found(list(state.joinTokens.values(), (token) => token.hash === hash)[0]),
    request: (id) => found(state.requests.get(id)),
    audit: (limit, filter = {}) => Promise.resolve(listAudit(state, { ...filter, limit })),
    alert: (id) => Promise.resolve(state.alerts.get(id) ?? null),
    alerts: (filter) => Promise.resolve(listAlerts(state, filter)),
    openAlerts: (kind) =>
      Promise.resolve(
        [...state.alerts.values()].filter(
          (alert) => alert.resolvedAt === null && (kind === undefined || alert.kind === kind),
        ),
      ),
    webhook: (id) => found(state.webhooks.get(id)),
    webhooks: () => Promise.resolve(listWebhooks(state)),
    deliveries: (filter) => Promise.resolve(listDeliveries(state, filter)),
    dueDeliveries: (now) => Promise.resolve(dueDeliveries(state, now)),
    changesSince: (after, limit) =>
      Promise.resolve(state.events.filter(({ id }) => id > after).slice(0, limit)),
    oldestEventId: () => Promise.resolve(state.events[0]?.id ?? 0),
    lastEventId: () => Promise.resolve(state.events.at(-1)?.id ?? 0),
    onChange: (listener) => changed.listen(listener),
    countOpenAlerts: () => {
      const counts = new Map<AlertKind, number>();
      for (const { kind, resolvedAt } of state.alerts.values())
        if (resolvedAt === null) counts.set(kind, (counts.get(kind) ?? 0) + 1);
      return Promise.resolve([...counts].map(([kind, count]) => ({ kind, count })));
    },
    prune: async (what, before, limit, keep) => pruneMemory(state, what, before, limit, keep),
    copyTo: null,
    close: () => Promise.resolve(),
  };
}

const by =
  <T>(key: (item: T) => string) =>
  (a: T, b: T): number =>
    key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0;
