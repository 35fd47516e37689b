import type { Job } from "../../../protocol/job.ts";
import type { LeaseView } from "../../../protocol/lease.ts";
import type { Rollout, RolloutNode } from "../../../protocol/rollout.ts";

/** A rollout and what surrounds it, at one moment. */
export type RolloutMoment = {
  readonly rollout: Rollout;
  /** Of the groups that are at work. */
  readonly leases: readonly LeaseView[];
  /** Those of its nodes that are at work. */
  readonly jobs: readonly Job[];
  readonly now: number;
};

/** The lease that a node of the rollout holds. */
export const heldBy = (moment: RolloutMoment, node: RolloutNode): LeaseView["holder"] =>
  moment.leases.find(({ holder }) => holder?.nodeId === node.nodeId)?.holder ?? null;

export const jobOf = (moment: RolloutMoment, node: RolloutNode): Job | null =>
  moment.jobs.find(({ id }) => id === node.jobId) ?? null;
