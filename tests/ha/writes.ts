/** In the end: what the agents were acknowledged is there, whatever happened. */
import type { AuditEntry } from "../../protocol/audit.ts";
import type { Group } from "../../protocol/group.ts";
import type { Job, JobStatus } from "../../protocol/job.ts";
import type { JobId } from "../../protocol/names.ts";
import { lostOf } from "../soak/judge.ts";
import { all } from "./operator.ts";
import type { Outcome } from "./play.ts";
import type { Stage } from "./stage.ts";

/** Ends of jobs, grants, leaves to act and returns, each beside the store and the audit log. */
export async function writes(stage: Stage, print: (line: string) => void): Promise<Outcome> {
  const { coordinators, swarm, operator } = stage;
  await operator.end();
  const records = await swarm.records();
  const audit = await all<AuditEntry>(coordinators, "/v1/audit", "entries", "&action=lease.");
  const groups = await all<Group>(coordinators, "/v1/groups", "groups");
  const jobs = new Map<JobId, JobStatus>();
  for (const { id, status } of await all<Job>(coordinators, "/v1/jobs", "jobs")) jobs.set(id, status);
  const held = groups.flatMap(({ name, lease: { holder } }) =>
    holder === null ? [] : [{ group: name, token: holder.token }],
  );
  // Events are followed elsewhere: here every end counts as told.
  const faults = [...lostOf(records, { jobs, events: jobs, audit, held }), ...(await operator.lost())];
  const granted = records.reduce((sum, { leases }) => sum + leases.length, 0);
  const name = "nothing that was acknowledged is lost";
  const says = `${granted} leases, ${jobs.size} jobs, ${operator.acknowledged.length} groups made by an operator, ${operator.unanswered} of whose requests had no answer`;
  print(`${faults.length === 0 ? "ok    " : "FAILED"}  ${name} (${says})`);
  for (const fault of faults.slice(0, 10)) print(`        ${fault}`);
  return { name, faults };
}
