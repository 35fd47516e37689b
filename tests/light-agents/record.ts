/** What a light agent was told and did, by its own count: what the coordinator is held to at the end. */
import type { JobId } from "../../protocol/names.ts";

/** `acknowledged`: lines below this index are stored, the coordinator said. `full`: it wants no more of them. */
export type JobAccount = {
  written: number;
  acknowledged: number;
  full: boolean;
  /** That it was confirmed is stored, the coordinator said. */
  ended: boolean;
};

/** `committed`: leave to act was answered. `settled`: the word on it was acknowledged, and so it was returned. */
export type LeaseAccount = { token: number; jobId: JobId; committed: boolean; settled: boolean };

export type AgentRecord = {
  readonly nodeId: string;
  readonly name: string;
  readonly group: string;
  readonly jobs: Record<JobId, JobAccount>;
  readonly leases: LeaseAccount[];
  /** What it saw itself that must not be. */
  readonly complaints: string[];
};

/** What a line of a job's log says, so that each can be told from every other. */
export const lineText = (jobId: JobId, index: number, padding = 0): string =>
  `${jobId} #${index} ${"x".repeat(padding)}`;
