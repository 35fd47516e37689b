import type { Fault, Result } from "../protocol/result.ts";
import { err } from "../protocol/result.ts";
import type { AgentStatus, InstallReply } from "./control/messages.ts";
import type { ControlPort } from "./control/routes.ts";
import type { Link } from "./link.ts";
import type { Agent } from "./runner.ts";
import type { PollSchedule } from "./schedule.ts";

export type ControlParts = {
  readonly agent: Agent;
  readonly link: Link;
  readonly polling: PollSchedule;
  readonly startedAt: number;
  /** Takes a signed bundle in. */
  readonly install: (kit: AsyncIterable<Uint8Array>) => Promise<Result<InstallReply, Fault>>;
};

/** What the control socket may ask of this process. */
export function createControlPort({ agent, link, polling, startedAt, install }: ControlParts): ControlPort {
  return {
    status: () => statusOf(agent, link, polling, startedAt),
    update: ({ retry }) => link.askFor("update", { retry }),
    rollback: async () =>
      agent.status().holdings.backup === null
        ? err({ code: "no-backup", message: "There is no dist.bak, so there is nothing to go back to." })
        : link.askFor("rollback", { retry: false }),
    install,
    jobs: () => agent.jobs(),
    logLines: (jobId, from, limit) => agent.logLines(jobId, from, limit),
    howEnded: (jobId) => link.howEnded(jobId),
    subscribe: (changed) => {
      const ends = [agent.subscribe(changed), agent.subscribeLog(changed)];
      return () => {
        for (const end of ends) end();
      };
    },
  };
}

function statusOf(agent: Agent, link: Link, polling: PollSchedule, startedAt: number): AgentStatus {
  const { findings, holdings, finalWords, instanceId, build, health, update, journal, job } = agent.status();
  const { fault, ...session } = link.session();
  const identity = link.identity();
  const poll = polling.status();
  return {
    instanceId,
    pid: process.pid,
    startedAt,
    build,
    backup: holdings.backup,
    hold: holdings.hold,
    quarantine: [...holdings.quarantine],
    node: identity === null ? null : { id: identity.nodeId, name: identity.name, group: identity.group },
    session: { ...session, fault: reasonOf(fault) },
    health,
    update,
    journal,
    finalWords: [...finalWords],
    job,
    poll: { ...poll, fault: reasonOf(poll.fault) },
    notes: findings.map(({ message }) => message),
  };
}

const reasonOf = (fault: Fault | null) =>
  fault === null ? null : { code: fault.code, message: fault.message };
