/** One unit of work on one node, as it is stored: what the API shows, and what only the coordinator needs. */
import type { Job } from "../../../protocol/job.ts";
import type { GroupName, InstanceId, JobId } from "../../../protocol/names.ts";
import type { EpochMs } from "../../../protocol/time.ts";
import type { LeaseToken } from "../../../protocol/token.ts";

/** Decided and stored: this very process, under this token, may keep its build. Excludes failing the job. */
export type Confirming = {
  readonly token: LeaseToken;
  readonly instanceId: InstanceId;
  readonly sinceMs: EpochMs;
};

export type JobRecord = Omit<Job, "retryOf"> & {
  /** Records of the first release have none. */
  readonly retryOf?: JobId | null;
  readonly group: GroupName;
  readonly confirming: Confirming | null;
  /** How often a lease of this job came back without an answer: `not-acted` or `inconclusive`. */
  readonly returns: number;
  readonly acceptOutage: boolean;
};

export const isActive = (job: Pick<Job, "status">): boolean =>
  job.status === "queued" || job.status === "running";

/** The job as the API shows it. */
export function showJob(record: JobRecord): Job {
  const { group: _group, confirming: _confirming, returns: _returns, acceptOutage: _outage, ...job } = record;
  return { ...job, retryOf: job.retryOf ?? null };
}
