import type { Alert } from "../../../protocol/alert.ts";
import type { EpochMs } from "../../../protocol/time.ts";
import { isActive } from "../../core/job/job.ts";
import { NO_LEASE } from "../../core/lease/record.ts";
import { type AlertChange, isAlertChange } from "../alerts.ts";
import { type EventDraft, eventsOf, lastOfEach } from "../events.ts";
import { deliveriesOf, noticesOf } from "../notices.ts";
import type { Applied, Change, Revision, Stored } from "../records.ts";
import { isWebhookChange, type WebhookChange } from "../webhooks.ts";
import { changedAlerts } from "./alerts.ts";
import { applyPolicy } from "./policy.ts";
import { applySignIn } from "./sign-ins.ts";
import { logOf, type MemoryState } from "./state.ts";
import { changeWebhook, queueDelivery } from "./webhooks.ts";
import type { Write } from "./write.ts";

/** All changes or none: what was done before one that cannot be is undone. */
export function applyAll(state: MemoryState, changes: readonly Change[], at: EpochMs): Applied {
  const undo: (() => void)[] = [];
  const write: Write = {
    set(map, key, value) {
      const before = map.get(key);
      const had = map.has(key);
      undo.push(() => (had && before !== undefined ? map.set(key, before) : map.delete(key)));
      map.set(key, value);
    },
    remove(map, key) {
      const before = map.get(key);
      if (before === undefined) return;
      undo.push(() => map.set(key, before));
      map.delete(key);
    },
    append(list, item) {
      undo.push(() => list.pop());
      list.push(item);
    },
  };
  const back = (): void => {
    for (const step of undo.reverse()) step();
  };
  try {
    const news: EventDraft[] = [];
    for (const change of changes) {
      const events = applyAny(state, change, write);
      if (events === null) {
        back();
        return { ok: false, conflict: change.kind };
      }
      news.push(...events);
    }
    for (const event of lastOfEach(news)) {
      state.events.push({ id: (state.events.at(-1)?.id ?? 0) + 1, at, ...event });
    }
    return { ok: true };
  } catch (error) {
    back();
    throw error;
  }
}

/** The events that the change means; null: its expectation does not hold. */
function applyAny(state: MemoryState, change: Change, write: Write): readonly EventDraft[] | null {
  const tell = (alerts: readonly Alert[]): void => {
    const webhooks = [...state.webhooks.values()].map(({ value }) => value);
    for (const draft of deliveriesOf(noticesOf(change, alerts), webhooks)) queueDelivery(state, draft, write);
  };
  if (isAlertChange(change)) {
    const changed = changedAlerts(state, change);
    for (const alert of changed) write.set(state.alerts, alert.id, alert);
    tell(changed);
    return eventsOf(change, changed);
  }
  if (change.kind === "notice") tell([]);
  else if (change.kind !== "announce") {
    const done = isWebhookChange(change)
      ? changeWebhook(state, change, write)
      : applyOne(state, change, write);
    if (!done) return null;
  }
  return eventsOf(change);
}

type RecordChange = Exclude<Change, AlertChange | WebhookChange | { readonly kind: "announce" }>;

/** False: the expectation does not hold, or the change would break an invariant of the store. */
function applyOne(state: MemoryState, change: RecordChange, write: Write): boolean {
  const put = <K, T>(map: Map<K, Stored<T>>, key: K, value: T, expected: Revision): boolean => {
    if ((map.get(key)?.revision ?? 0) !== expected) return false;
    write.set(map, key, { value, revision: expected + 1 });
    return true;
  };
  switch (change.kind) {
    case "meta":
      return put(state.meta, "meta", change.value, change.expected);
    case "in-seat":
      return state.meta.get("meta")?.value.seat?.claim === change.claim;
    case "group": {
      const { name } = change.value;
      if (!put(state.groups, name, change.value, change.expected)) return false;
      if (change.expected === 0) write.set(state.leases, name, { value: NO_LEASE, revision: 1 });
      return true;
    }
    case "same-group":
      return (state.groups.get(change.name)?.revision ?? 0) === change.expected;
    case "same-lease":
      return (state.leases.get(change.group)?.revision ?? 0) === change.expected;
    case "lease":
      return change.expected > 0 && put(state.leases, change.group, change.value, change.expected);
    case "node": {
      const { value } = change;
      if (!state.groups.has(value.group)) throw new Error(`there is no group ${value.group}`);
      return !isTaken(state, value) && put(state.nodes, value.id, value, change.expected);
    }
    case "remove-node": {
      if (state.nodes.get(change.id)?.revision !== change.expected) return false;
      write.remove(state.nodes, change.id);
      return true;
    }
    case "remove-group": {
      if (state.groups.get(change.name)?.revision !== change.expected) return false;
      if ([...state.nodes.values()].some(({ value }) => value.group === change.name)) {
        throw new Error(`group ${change.name} has nodes`);
      }
      write.remove(state.leases, change.name);
      write.remove(state.groups, change.name);
      return true;
    }
    case "job":
      return putJob(state, change, write, put);
    case "rollout":
      return put(state.rollouts, change.value.id, change.value, change.expected);
    case "operator-token":
      return put(state.operatorTokens, change.value.id, change.value, change.expected);
    case "join-token":
      return put(state.joinTokens, change.value.id, change.value, change.expected);
    case "request":
      return put(state.requests, change.value.id, change.value, change.expected);
    case "remove-request": {
      if (state.requests.get(change.id)?.revision !== change.expected) return false;
      write.remove(state.requests, change.id);
      return true;
    }
    case "forget-requests":
      for (const [id, { value }] of state.requests) {
        if (value.at < change.before) write.remove(state.requests, id);
      }
      return true;
    case "log": {
      if (!state.jobs.has(change.jobId)) throw new Error(`there is no job ${change.jobId}`);
      const stored = logOf(state, change.jobId);
      const fresh = change.lines.filter((line) => line.index >= stored.length);
      write.set(state.logs, change.jobId, [...stored, ...fresh]);
      return true;
    }
    case "policy":
    case "same-policy":
    case "channel":
    case "remove-channel":
      return applyPolicy(state, change, write);
    case "sign-in":
    case "remove-sign-in":
    case "sign-in-link":
    case "use-sign-in-link":
    case "forget-sign-ins":
      return applySignIn(state, change, write);
    case "audit":
      state.lastIds.audit += 1;
      write.append(state.audit, { id: state.lastIds.audit, ...change.value });
      return true;
  }
}

type Put = <K, T>(map: Map<K, Stored<T>>, key: K, value: T, expected: Revision) => boolean;

function putJob(
  state: MemoryState,
  change: Extract<Change, { kind: "job" }>,
  write: Write,
  put: Put,
): boolean {
  const { value, expected } = change;
  const isDiagnosis = value.kind === "diagnose";
  const byNode = isDiagnosis ? state.activeDiagnoses : state.activeJobs;
  const active = byNode.get(value.nodeId);
  if (isActive(value) && active !== undefined && active !== value.id) return false;
  if (!put(state.jobs, value.id, value, expected)) return false;
  if (expected === 0) {
    state.lastIds.jobs += 1;
    write.set(state.jobNumbers, value.id, state.lastIds.jobs);
  }
  if (isActive(value)) write.set(byNode, value.nodeId, value.id);
  else if (active === value.id) write.remove(byNode, value.nodeId);
  if (expected === 0 && !isDiagnosis) write.set(state.lastJobs, value.nodeId, value.id);
  return true;
}

const isTaken = (state: MemoryState, node: { id: string; name: string; credentialHash: string }): boolean =>
  [...state.nodes.values()].some(
    ({ value: other }) =>
      other.id !== node.id && (other.name === node.name || other.credentialHash === node.credentialHash),
  );
