/** Holds the coordinator to what it acknowledged: each agent's own account beside what the API answers at the end. */
import type { AuditEntry } from "../../protocol/audit.ts";
import type { JobStatus, LogLine } from "../../protocol/job.ts";
import type { JobId } from "../../protocol/names.ts";
import { type AgentRecord, type JobAccount, lineText } from "../light-agents/record.ts";

/** What the API answers of jobs, leases and the audit log. */
export type Told = {
  readonly jobs: ReadonlyMap<JobId, JobStatus>;
  /** Of the job events that a reader was told, the last one's status of each. */
  readonly events: ReadonlyMap<JobId, JobStatus>;
  readonly audit: readonly AuditEntry[];
  /** Tokens that are held. */
  readonly held: readonly { readonly group: string; readonly token: number }[];
};

/** What was lost of jobs' ends, events and leases; a sentence for each. */
export function lostOf(records: readonly AgentRecord[], told: Told): readonly string[] {
  const found: string[] = [];
  const noted = new Set(
    told.audit.map(({ action, subject, before, after }) => keyOf(action, subject, after ?? before)),
  );
  const returned = new Set(
    told.audit
      .filter(({ action }) => action === "lease.returned")
      .map(({ subject, before }) => keyOf("", subject, before)),
  );
  for (const { name, group, jobs, leases } of records) {
    for (const [jobId, { ended }] of Object.entries(jobs)) {
      const status = told.jobs.get(jobId);
      if (status === undefined) found.push(`${jobId} of ${name} is gone`);
      else if (ended && status !== "succeeded")
        found.push(`${jobId} of ${name} was confirmed, and is ${status}`);
      if (ended && told.events.get(jobId) !== "succeeded")
        found.push(`no event told of the end of ${jobId} of ${name}`);
    }
    for (const { token, committed, settled } of leases) {
      const lease = `token ${token} of ${group}, of ${name},`;
      if (!noted.has(keyOf("lease.reserved", group, { token })))
        found.push(`${lease} was given, and is not in the audit log`);
      if (committed && !noted.has(keyOf("lease.committed", group, { token })))
        found.push(`${lease} was committed, and the audit log does not have it`);
      if (committed && settled && !returned.has(keyOf("", group, { token })))
        found.push(`${lease} was settled, and the audit log has no return of it`);
      if (settled && told.held.some((each) => each.group === group && each.token === token))
        found.push(`${lease} was settled, and is held`);
    }
  }
  return found;
}

/** What is wrong with the stored log of one job: lines that were acknowledged are there, each once, as they were. */
export function lostLines(jobId: JobId, job: JobAccount, lines: readonly LogLine[]): readonly string[] {
  const own = job.full && lines.at(-1)?.source === "coordinator" ? lines.slice(0, -1) : lines;
  const least = job.full ? Math.max(job.acknowledged, 1) : job.acknowledged;
  const found: string[] = [];
  if (own.length < least) found.push(`${least} lines of ${jobId} were acknowledged, ${own.length} are there`);
  const wrong = own.findIndex((line, at) => line.index !== at || !line.text.startsWith(lineText(jobId, at)));
  if (wrong !== -1) found.push(`line ${wrong} of ${jobId} is not as it was written`);
  return found;
}

const keyOf = (action: string, group: string, entry: unknown): string =>
  `${action} ${group} ${(entry as { token?: number } | null)?.token}`;
