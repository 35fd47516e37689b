/** Reads at the end what the coordinator has, and compares it with what the agents were told. */
import type { AuditEntry } from "../../protocol/audit.ts";
import type { Group } from "../../protocol/group.ts";
import type { Job, JobStatus, LogLine } from "../../protocol/job.ts";
import type { JobId } from "../../protocol/names.ts";
import type { LoneCoordinator } from "../light-agents/coordinator.ts";
import type { AgentRecord } from "../light-agents/record.ts";
import type { Follower } from "./follower.ts";
import { lostLines, lostOf } from "./judge.ts";
import { cleanVerdict, type Verdict } from "./verdicts.ts";

/** Logs read at once. */
const READING = 8;

export async function compare(
  coordinator: LoneCoordinator,
  records: readonly AgentRecord[],
  follower: Follower,
): Promise<readonly Verdict[]> {
  const audit = await all<AuditEntry>(coordinator, "/v1/audit", "entries", "&action=lease.");
  const groups = await all<Group>(coordinator, "/v1/groups", "groups");
  const jobs = new Map<JobId, JobStatus>();
  for (const { id, status } of await all<Job>(coordinator, "/v1/jobs", "jobs")) jobs.set(id, status);
  const held = groups.flatMap(({ name, lease: { holder } }) =>
    holder === null ? [] : [{ group: name, token: holder.token }],
  );
  const lost = lostOf(records, { jobs, events: follower.jobs, audit, held });
  const lines = await lostLogs(coordinator, records);
  const count = (of: (record: AgentRecord) => number): number =>
    records.reduce((sum, record) => sum + of(record), 0);
  const ended = count((record) => Object.values(record.jobs).filter((job) => job.ended).length);
  const leases = count((record) => record.leases.length);
  const acknowledged = count((record) =>
    Object.values(record.jobs).reduce((sum, job) => sum + job.acknowledged, 0),
  );
  return [
    cleanVerdict(
      "no end of a job, no event and no lease is lost",
      [...lost, ...follower.complaints],
      `${ended} ends, ${follower.events} events (${follower.comebacks} times cut off), ${leases} leases are there`,
    ),
    cleanVerdict("no line of a log is lost", lines, `${acknowledged} lines are there`),
    cleanVerdict(
      "no lease is held at the end",
      held.map(({ group, token }) => `token ${token} of ${group}`),
      `${groups.length} groups, none held`,
    ),
  ];
}

async function lostLogs(
  coordinator: LoneCoordinator,
  records: readonly AgentRecord[],
): Promise<readonly string[]> {
  const left = records.flatMap(({ jobs }) => Object.entries(jobs));
  const found: string[] = [];
  const readRest = async (): Promise<void> => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const [jobId, job] = next;
      found.push(...lostLines(jobId, job, await logOf(coordinator, jobId)));
    }
  };
  await Promise.all(Array.from({ length: READING }, readRest));
  return found;
}

async function logOf(coordinator: LoneCoordinator, jobId: JobId): Promise<readonly LogLine[]> {
  const lines: LogLine[] = [];
  for (;;) {
    const path = `/v1/jobs/${jobId}/log?limit=1000&from=${lines.length}`;
    const page = await coordinator.call<{ lines: LogLine[] }>("GET", path);
    lines.push(...page.lines);
    if (page.lines.length < 1000) return lines;
  }
}

/** All pages of a list. */
async function all<T>(coordinator: LoneCoordinator, path: string, member: string, query = ""): Promise<T[]> {
  const found: T[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const from: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page: Record<string, unknown> = await coordinator.call("GET", `${path}?limit=1000${query}${from}`);
    found.push(...(page[member] as T[]));
    cursor = page.next as string | null;
  }
  return found;
}
