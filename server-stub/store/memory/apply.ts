import { isActive } from "../../core/job/job.ts";
import { NO_LEASE } from "../../core/lease/record.ts";
import type { Change, Revision, Stored } from "../records.ts";
import { logOf, type MemoryState } from "./state.ts";

type Outcome =
  | { readonly ok: true; readonly state: MemoryState }
  | { readonly ok: false; readonly conflict: Change["kind"] };

/** All changes or none, on a state that stays as it was. */
export function applyAll(before: MemoryState, changes: readonly Change[]): Outcome {
  let state = before;
  for (const change of changes) {
    const next = applyOne(state, change);
    if (next === null) return { ok: false, conflict: change.kind };
    state = next;
  }
  return { ok: true, state };
}

/** Null: the expectation does not hold, or the change would break an invariant of the store. */
function applyOne(state: MemoryState, change: Change): MemoryState | null {
  switch (change.kind) {
    case "meta":
      return state.meta.revision === change.expected
        ? { ...state, meta: { value: change.value, revision: change.expected + 1 } }
        : null;
    case "group":
      return putGroup(state, change);
    case "same-group":
      return (state.groups.get(change.name)?.revision ?? 0) === change.expected ? state : null;
    case "same-lease":
      return (state.leases.get(change.group)?.revision ?? 0) === change.expected ? state : null;
    case "lease": {
      const leases = put(state.leases, change.group, change.value, change.expected);
      return leases === null || change.expected === 0 ? null : { ...state, leases };
    }
    case "node":
      return putNode(state, change);
    case "remove-node": {
      if (state.nodes.get(change.id)?.revision !== change.expected) return null;
      const nodes = new Map(state.nodes);
      nodes.delete(change.id);
      return { ...state, nodes };
    }
    case "job": {
      const { value } = change;
      const busy = [...state.jobs.values()].some(
        (job) => job.value.nodeId === value.nodeId && job.value.id !== value.id && isActive(job.value),
      );
      const jobs = put(state.jobs, value.id, value, change.expected);
      return jobs === null || (busy && isActive(value)) ? null : { ...state, jobs };
    }
    case "rollout": {
      const rollouts = put(state.rollouts, change.value.id, change.value, change.expected);
      return rollouts === null ? null : { ...state, rollouts };
    }
    case "operator-token": {
      const operatorTokens = put(state.operatorTokens, change.value.id, change.value, change.expected);
      return operatorTokens === null ? null : { ...state, operatorTokens };
    }
    case "join-token": {
      const joinTokens = put(state.joinTokens, change.value.id, change.value, change.expected);
      return joinTokens === null ? null : { ...state, joinTokens };
    }
    case "log": {
      const stored = logOf(state, change.jobId);
      const fresh = change.lines.filter((line) => line.index >= stored.length);
      return { ...state, logs: new Map(state.logs).set(change.jobId, [...stored, ...fresh]) };
    }
    case "audit":
      return { ...state, audit: [...state.audit, { id: state.audit.length + 1, ...change.value }] };
    case "raise": {
      const { alert: kind, subject, message, at } = change;
      const isOpen = state.alerts.some((each) => matches(each, change));
      const alert = { id: state.alerts.length + 1, kind, subject, message, raisedAt: at, resolvedAt: null };
      return isOpen ? state : { ...state, alerts: [...state.alerts, alert] };
    }
    case "resolve": {
      const alerts = state.alerts.map((each) =>
        matches(each, change) ? { ...each, resolvedAt: change.at } : each,
      );
      return { ...state, alerts };
    }
  }
}

function putGroup(state: MemoryState, change: Extract<Change, { kind: "group" }>): MemoryState | null {
  const { value, expected } = change;
  const groups = put(state.groups, value.name, value, expected);
  if (groups === null) return null;
  if (expected > 0) return { ...state, groups };
  return {
    ...state,
    groups,
    leases: new Map(state.leases).set(value.name, { value: NO_LEASE, revision: 1 }),
  };
}

function putNode(state: MemoryState, change: Extract<Change, { kind: "node" }>): MemoryState | null {
  const { value, expected } = change;
  const taken = [...state.nodes.values()].some(
    ({ value: other }) =>
      other.id !== value.id && (other.name === value.name || other.credentialHash === value.credentialHash),
  );
  const nodes = put(state.nodes, value.id, value, expected);
  if (!state.groups.has(value.group)) throw new Error(`there is no group ${value.group}`);
  return taken || nodes === null ? null : { ...state, nodes };
}

function put<K, T>(
  map: ReadonlyMap<K, Stored<T>>,
  key: K,
  value: T,
  expected: Revision,
): ReadonlyMap<K, Stored<T>> | null {
  if ((map.get(key)?.revision ?? 0) !== expected) return null;
  return new Map(map).set(key, { value, revision: expected + 1 });
}

const matches = (
  alert: { kind: string; subject: string; resolvedAt: number | null },
  change: { alert: string; subject: string },
): boolean => alert.kind === change.alert && alert.subject === change.subject && alert.resolvedAt === null;
