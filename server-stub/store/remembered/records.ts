import type { FleetPolicy } from "../../../protocol/policy.ts";
import { isActive, type JobRecord } from "../../core/job/job.ts";
import type { LeaseRecord } from "../../core/lease/record.ts";
import { isUnfinished, type RolloutRecord } from "../../core/rollout/rollout.ts";
import type { Change, GroupRecord, Stored, StoredNode } from "../records.ts";

/** What a record is called among all that are remembered. */
export type Key =
  | `node ${string}`
  | `group ${string}`
  | `lease ${string}`
  | `job ${string}`
  | `rollout ${string}`
  | "policy";

/** The records themselves. `leases`: all that are held, and those that were asked for. `jobs` and `diagnoses`: those at work, by node, oldest first. */
export type Records = {
  readonly nodes: Map<string, StoredNode>;
  readonly nodesOf: Map<string, Map<string, StoredNode>>;
  /** Ids of all nodes, by name; null when somebody came or went since it was made. */
  byName: readonly string[] | null;
  readonly byCredential: Map<string, string>;
  readonly groups: Map<string, Stored<GroupRecord>>;
  readonly leases: Map<string, Stored<LeaseRecord>>;
  readonly jobs: Map<string, Stored<JobRecord>>;
  readonly jobsOf: Map<string, Map<string, Stored<JobRecord>>>;
  readonly diagnoses: Map<string, Stored<JobRecord>>;
  /** Those that are not over, oldest first. */
  readonly rollouts: Map<string, Stored<RolloutRecord>>;
  policy: Stored<FleetPolicy> | null;
};

export const noRecords = (): Records => ({
  nodes: new Map(),
  nodesOf: new Map(),
  byName: null,
  byCredential: new Map(),
  groups: new Map(),
  leases: new Map(),
  jobs: new Map(),
  jobsOf: new Map(),
  diagnoses: new Map(),
  rollouts: new Map(),
  policy: null,
});

export function putNode(records: Records, id: string, node: StoredNode | null): void {
  const before = records.nodes.get(id);
  if (before?.value.name !== node?.value.name) records.byName = null;
  if (before !== undefined && before.value.group !== node?.value.group) {
    records.nodesOf.get(before.value.group)?.delete(id);
  }
  if (before !== undefined && before.value.credentialHash !== node?.value.credentialHash) {
    records.byCredential.delete(before.value.credentialHash);
  }
  if (node === null) {
    records.nodes.delete(id);
    return;
  }
  records.nodes.set(id, node);
  records.byCredential.set(node.value.credentialHash, id);
  inner(records.nodesOf, node.value.group).set(id, node);
}

export function putJob(records: Records, job: Stored<JobRecord>): void {
  const { id, nodeId, group, kind } = job.value;
  const isDiagnosis = kind === "diagnose";
  const jobs = isDiagnosis ? records.diagnoses : records.jobs;
  if (isActive(job.value)) {
    jobs.set(nodeId, job);
    if (!isDiagnosis) inner(records.jobsOf, group).set(nodeId, job);
  } else if (jobs.get(nodeId)?.value.id === id) {
    jobs.delete(nodeId);
    if (!isDiagnosis) records.jobsOf.get(group)?.delete(nodeId);
  }
}

export function putRollout({ rollouts }: Records, rollout: Stored<RolloutRecord>): void {
  if (isUnfinished(rollout.value)) rollouts.set(rollout.value.id, rollout);
  else rollouts.delete(rollout.value.id);
}

function inner<T>(of: Map<string, Map<string, T>>, key: string): Map<string, T> {
  const known = of.get(key);
  if (known !== undefined) return known;
  const fresh = new Map<string, T>();
  of.set(key, fresh);
  return fresh;
}

const REMEMBERED = [
  "node",
  "remove-node",
  "group",
  "remove-group",
  "same-group",
  "lease",
  "same-lease",
  "job",
  "rollout",
  "policy",
  "same-policy",
] as const satisfies readonly Change["kind"][];

/** A change of what is remembered, or that names it. */
export type Remembered = Extract<Change, { readonly kind: (typeof REMEMBERED)[number] }>;

export const isRemembered = (change: Change): change is Remembered =>
  REMEMBERED.some((kind) => kind === change.kind);

/** Which record it is about. */
export function keyOf(change: Remembered): Key {
  switch (change.kind) {
    case "node":
      return `node ${change.value.id}`;
    case "remove-node":
      return `node ${change.id}`;
    case "group":
      return `group ${change.value.name}`;
    case "remove-group":
    case "same-group":
      return `group ${change.name}`;
    case "lease":
    case "same-lease":
      return `lease ${change.group}`;
    case "job":
      return `job ${change.value.id}`;
    case "rollout":
      return `rollout ${change.value.id}`;
    case "policy":
    case "same-policy":
      return "policy";
  }
}

/** Takes over what was written. */
export function write(records: Records, change: Remembered): void {
  switch (change.kind) {
    case "node": {
      const { value, expected } = change;
      const lastSeenAt = records.nodes.get(value.id)?.lastSeenAt ?? null;
      putNode(records, value.id, { value, revision: expected + 1, lastSeenAt });
      break;
    }
    case "remove-node":
      putNode(records, change.id, null);
      break;
    case "group": {
      const { value, expected } = change;
      records.groups.set(value.name, { value, revision: expected + 1 });
      // It comes with a lease of its own, which is read when somebody asks.
      if (expected === 0) records.leases.delete(value.name);
      break;
    }
    case "remove-group":
      records.groups.delete(change.name);
      records.leases.delete(change.name);
      break;
    case "lease":
      records.leases.set(change.group, { value: change.value, revision: change.expected + 1 });
      break;
    case "job":
      putJob(records, { value: change.value, revision: change.expected + 1 });
      break;
    case "rollout":
      putRollout(records, { value: change.value, revision: change.expected + 1 });
      break;
    case "policy":
      records.policy = { value: change.value, revision: change.expected + 1 };
      break;
    case "same-group":
    case "same-lease":
    case "same-policy":
      break;
  }
}
