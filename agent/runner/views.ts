/** What others are told of the machine: the coordinator, the control API, and who asks how a job ended. */
import type { Build } from "../../protocol/build.ts";
import type { Heartbeat, Hello, NodeHoldings, UpdateReport } from "../../protocol/frames.ts";
import type { HealthReport } from "../../protocol/health.ts";
import type { FinalWord, JournalReport } from "../../protocol/journal.ts";
import type { InstanceId } from "../../protocol/names.ts";
import { journalReport } from "../core/journal.ts";
import { jobAfter, type LocalJob } from "../core/local-job.ts";
import type { Machine } from "../core/machine/transition.ts";
import type { Finding } from "../core/recover.ts";
import { holdings, updateReport } from "../core/report.ts";

/** A hello, less what the machine does not know of. */
export type HelloView = Omit<Hello, "type" | "protocol" | "platform" | "runtime">;
/** A heartbeat, less what belongs to its session. */
export type HeartbeatView = Omit<Heartbeat, "type" | "session" | "seq">;

/** Where the agent stands, for `agent status`. */
export type AgentView = {
  readonly instanceId: InstanceId;
  /** What this process runs. */
  readonly build: Build;
  readonly connected: boolean;
  readonly health: HealthReport;
  readonly update: UpdateReport;
  readonly journal: JournalReport;
  readonly finalWords: readonly FinalWord[];
  readonly holdings: NodeHoldings;
  /** The job that is worked on, or was last, and how it ended. */
  readonly job: LocalJob | null;
  /** What was out of order at start. */
  readonly findings: readonly Finding[];
};

export type Views = {
  readonly begin: (machine: Machine, findings: readonly Finding[]) => void;
  readonly learn: (machine: Machine) => void;
  readonly hello: () => HelloView;
  readonly heartbeat: () => HeartbeatView;
  readonly status: () => AgentView;
};

export function createViews(self: {
  readonly running: Build;
  readonly instanceId: InstanceId;
  readonly canHandOver: boolean;
}): Views {
  const { running, instanceId, canHandOver } = self;
  let machine: Machine | null = null;
  let findings: readonly Finding[] = [];
  let job: LocalJob | null = null;

  const now = (): Machine => {
    if (machine === null) throw new Error("the agent was asked for its state before it was started");
    return machine;
  };
  const learn = (next: Machine): void => {
    machine = next;
    job = jobAfter(job, next);
  };
  const said = () => {
    const { facts } = now();
    return {
      journal: journalReport(facts.journal),
      finalWords: [...facts.journal.finalWords],
      holdings: holdings(facts),
    };
  };
  return {
    begin: (first, found) => {
      findings = found;
      learn(first);
    },
    learn,
    hello: () => ({ instanceId, build: running, canHandOver, ...said() }),
    heartbeat: () => ({ instanceId, health: now().facts.health, update: updateReport(now()), ...said() }),
    status: () => ({
      instanceId,
      build: running,
      connected: now().facts.session !== null,
      health: now().facts.health,
      update: updateReport(now()),
      job,
      findings,
      ...said(),
    }),
  };
}
