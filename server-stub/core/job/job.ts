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
  /** When it was first granted a lease, wall clock: from then on it was its turn. Older records have none. */
  readonly leasedAt?: EpochMs;
};

export const isActive = (job: Pick<Job, "status">): boolean =>
  job.status === "queued" || job.status === "running";

/** The job as the API shows it. */
export function showJob(record: JobRecord): Job {
  const { group: _group, confirming: _confirming, returns: _returns, ...shown } = record;
  const { acceptOutage: _outage, leasedAt: _leasedAt, ...job } = shown;
  return { ...job, retryOf: job.retryOf ?? null };
}
