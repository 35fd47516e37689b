/** What a conflict makes of what is remembered: somebody else may have written after all. */
import type { Store } from "../store.ts";
import { type Key, putJob, putNode, putRollout, type Records, type Remembered } from "./records.ts";

/** Whether it was written while it was being read, so that what was read knows nothing of that. */
export type IsOlder = (key: Key) => boolean;

type Put = (records: Records, isOlder: IsOlder) => void;

/** What is remembered is still what the batch was computed from, although the store has something else. */
export function mayBeBehind(records: Records, change: Remembered): boolean {
  switch (change.kind) {
    case "node":
      return (records.nodes.get(change.value.id)?.revision ?? 0) === change.expected;
    case "remove-node":
      return records.nodes.get(change.id)?.revision === change.expected;
    case "group":
      return (records.groups.get(change.value.name)?.revision ?? 0) === change.expected;
    case "remove-group":
    case "same-group":
      return records.groups.get(change.name)?.revision === change.expected;
    case "lease":
    case "same-lease":
      return records.leases.get(change.group)?.revision === change.expected;
    case "policy":
    case "same-policy":
      return records.policy?.revision === change.expected;
    case "job":
      return true;
    case "rollout":
      return (records.rollouts.get(change.value.id)?.revision ?? change.expected) === change.expected;
  }
}

/** Reads the record that the change names. */
export function readOne(store: Store, change: Remembered): () => Promise<Put> {
  switch (change.kind) {
    case "node":
      return () => nodeAnew(store, change.value.id);
    case "remove-node":
      return () => nodeAnew(store, change.id);
    case "group":
      return () => groupAnew(store, change.value.name);
    case "remove-group":
    case "same-group":
      return () => groupAnew(store, change.name);
    case "lease":
    case "same-lease":
      return () => leaseAnew(store, change.group);
    case "policy":
    case "same-policy":
      return async () => {
        const policy = await store.policy();
        return (records, isOlder) => {
          if (!isOlder("policy")) records.policy = policy;
        };
      };
    case "job":
      return () => jobsAnew(store, change.value.nodeId);
    case "rollout":
      return () => rolloutAnew(store, change.value.id);
  }
}

async function nodeAnew(store: Store, id: string): Promise<Put> {
  const node = await store.node(id);
  return (records, isOlder) => {
    if (!isOlder(`node ${id}`)) putNode(records, id, node);
  };
}

async function groupAnew(store: Store, name: string): Promise<Put> {
  const group = await store.group(name);
  return (records, isOlder) => {
    if (isOlder(`group ${name}`)) return;
    if (group !== null) records.groups.set(name, group);
    else {
      records.groups.delete(name);
      records.leases.delete(name);
    }
  };
}

async function leaseAnew(store: Store, group: string): Promise<Put> {
  const lease = await store.lease(group);
  return (records, isOlder) => {
    if (isOlder(`lease ${group}`) || isOlder(`group ${group}`)) return;
    if (lease === null) records.leases.delete(group);
    else records.leases.set(group, lease);
  };
}

async function rolloutAnew(store: Store, id: string): Promise<Put> {
  const rollout = await store.rollout(id);
  return (records, isOlder) => {
    if (isOlder(`rollout ${id}`)) return;
    if (rollout === null) records.rollouts.delete(id);
    else putRollout(records, rollout);
  };
}

async function jobsAnew(store: Store, nodeId: string): Promise<Put> {
  const found = [await store.activeJob(nodeId), await store.activeDiagnosis(nodeId)];
  return (records, isOlder) => {
    for (const [at, jobs] of [records.jobs, records.diagnoses].entries()) {
      const [before, now] = [jobs.get(nodeId), found[at] ?? null];
      const isGone = before !== undefined && before.value.id !== now?.value.id;
      if (isGone && !isOlder(`job ${before.value.id}`)) {
        jobs.delete(nodeId);
        if (jobs === records.jobs) records.jobsOf.get(before.value.group)?.delete(nodeId);
      }
      if (now !== null && !isOlder(`job ${now.value.id}`)) putJob(records, now);
    }
  };
}
