import { isActive } from "../../core/job/job.ts";
import type { Prunable } from "../records.ts";
import type { MemoryState } from "./state.ts";

/** `Store.prune` in memory, by the same rules; a job goes together with its log. */
export function pruneMemory(
  state: MemoryState,
  what: Prunable,
  before: number,
  limit: number,
  keep = Number.POSITIVE_INFINITY,
): number {
  const old = OLD[what](state, before, keep).slice(0, limit);
  for (const remove of old) remove();
  return old.length;
}

type Remove = () => void;

const OLD: Readonly<
  Record<Prunable, (state: MemoryState, before: number, keep: number) => readonly Remove[]>
> = {
  jobs: (state, before) => {
    const last = new Map<string, string>();
    for (const { value } of state.jobs.values()) {
      const kind = value.kind === "diagnose" ? "diagnosis" : "job";
      if (state.nodes.has(value.nodeId)) last.set(`${kind} ${value.nodeId}`, value.id);
    }
    const kept = new Set(last.values());
    return [...state.jobs.values()]
      .filter(({ value }) => {
        const rollout = value.rolloutId === null ? undefined : state.rollouts.get(value.rolloutId);
        const isNeeded = rollout !== undefined && rollout.value.endedAt === null;
        return !isActive(value) && (value.endedAt ?? before) < before && !isNeeded && !kept.has(value.id);
      })
      .map(({ value }) => () => {
        state.jobs.delete(value.id);
        state.jobNumbers.delete(value.id);
        state.logs.delete(value.id);
      });
  },
  rollouts: (state, before) =>
    [...state.rollouts.values()]
      .filter(({ value }) => (value.endedAt ?? before) < before)
      .map(
        ({ value }) =>
          () =>
            state.rollouts.delete(value.id),
      ),
  audit: (state, before) =>
    state.audit
      .filter((entry) => entry.at < before)
      .map((entry) => () => state.audit.splice(state.audit.indexOf(entry), 1)),
  alerts: (state, before) =>
    [...state.alerts.values()]
      .filter((alert) => alert.resolvedAt !== null && alert.resolvedAt < before)
      .map((alert) => () => state.alerts.delete(alert.id)),
  events: (state, before, keep) => {
    const newest = state.events.at(-1)?.id ?? 0;
    return state.events
      .slice(0, -1)
      .filter(({ id, at }) => at < before || id <= newest - keep)
      .map((event) => () => state.events.splice(state.events.indexOf(event), 1));
  },
  deliveries: (state, before) =>
    [...state.deliveries.values()]
      .filter(({ endedAt }) => endedAt !== null && endedAt < before)
      .map(
        ({ id }) =>
          () =>
            state.deliveries.delete(id),
      ),
};
