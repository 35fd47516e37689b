import { isActive, type JobRecord } from "../../core/job/job.ts";
import type { AuditEntry, AuditQuery, JobQuery, Numbered, Stored } from "../records.ts";
import type { MemoryState } from "./state.ts";

/** A page of the jobs, newest first. */
export function listJobs(state: MemoryState, query: JobQuery): Numbered<JobRecord>[] {
  const { nodeId, status, kind, rolloutId, before = Number.POSITIVE_INFINITY, limit } = query;
  return [...state.jobs.values()]
    .map((stored) => ({ ...stored, number: state.jobNumbers.get(stored.value.id) ?? 0 }))
    .filter(
      ({ value, number }) =>
        number < before &&
        (nodeId === undefined || value.nodeId === nodeId) &&
        (status === undefined || value.status === status) &&
        (kind === undefined || value.kind === kind) &&
        (rolloutId === undefined || value.rolloutId === rolloutId),
    )
    .reverse()
    .slice(0, limit);
}

export const listActiveJobs = (state: MemoryState): Stored<JobRecord>[] =>
  [...state.jobs.values()].filter(({ value }) => isActive(value) && value.kind !== "diagnose");

/** A page of the audit log: newest first, or from `after` on in the order of what happened. */
export function listAudit(state: MemoryState, query: AuditQuery): AuditEntry[] {
  const { actor, action, subject, since, until, before, after, limit } = query;
  const found = state.audit.filter(
    (entry) =>
      (actor === undefined || entry.actor === actor) &&
      (action === undefined || entry.action.startsWith(action)) &&
      (subject === undefined || entry.subject === subject) &&
      (since === undefined || entry.at >= since) &&
      (until === undefined || entry.at < until) &&
      (before === undefined || entry.id < before) &&
      (after === undefined || entry.id > after),
  );
  return (after === undefined ? found.reverse() : found).slice(0, limit);
}
