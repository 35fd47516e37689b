/**
 * A diagnosis that the coordinator asks for: the same look at this node that `agent doctor` takes, written to the
 * job's log with the last lines of the agent's log and of its workload.
 *
 * Invariants: it knows nothing of the update machine and tells it nothing; each job is looked at once in a process,
 * and a restart in the middle begins again; what was written to the end is not written twice.
 */
import type { Finding } from "../protocol/finding.ts";
import type { LogLine } from "../protocol/job.ts";
import type { JobId } from "../protocol/names.ts";
import { findingLines, isWell, summary } from "./doctor/text.ts";
import type { Log } from "./effects/log.ts";
import type { LogTail } from "./effects/log-tail.ts";
import type { DiagnosisParts } from "./session/conversation.ts";

export type Diagnoser = {
  /** What the orders ask for; called with all of them. */
  wanted(jobId: JobId | null): void;
  /** How it ended; null while it is under way, or when it is not this one. */
  ended(jobId: JobId): DiagnosisParts | null;
};

export type DiagnoserParts = {
  /** Looks at the node; never rejects for what it finds. */
  readonly look: () => Promise<readonly Finding[]>;
  readonly tail: LogTail;
  readonly read: (jobId: JobId) => Promise<readonly LogLine[]>;
  readonly write: (jobId: JobId, text: string) => void;
  /** Called when there is something to send. */
  readonly done: () => void;
  readonly log: Log;
};

export function createDiagnoser(parts: DiagnoserParts): Diagnoser {
  let current: { readonly jobId: JobId; readonly ended: DiagnosisParts | null } | null = null;

  const run = async (jobId: JobId): Promise<void> => {
    parts.log.info({ jobId }, "looking at this node, as the coordinator asks");
    const before = await parts.read(jobId);
    const findings = await parts.look();
    if (before.at(-1)?.text !== END) writeAll(jobId, findings, before.length > 0);
    if (current?.jobId !== jobId) return;
    current = { jobId, ended: { jobId, ok: isWell(findings), findings: [...findings] } };
    parts.done();
  };

  const writeAll = (jobId: JobId, findings: readonly Finding[], isAgain: boolean): void => {
    const write = (text: string) => parts.write(jobId, text);
    if (isAgain) write("The agent was restarted meanwhile: it looks again.");
    write(`agent doctor: ${summary(findings)}`);
    for (const line of findingLines(findings)) write(line);
    for (const whose of ["agent", "workload"] as const) {
      const lines = parts.tail.newest(whose);
      write(
        lines.length === 0
          ? `The ${whose} has printed nothing since it started.`
          : `The last lines of the ${whose}:`,
      );
      for (const line of lines) write(`  ${line}`);
    }
    write(END);
  };

  return {
    wanted: (jobId) => {
      if (jobId === null) current = null;
      else if (current?.jobId !== jobId) {
        current = { jobId, ended: null };
        run(jobId).catch((cause: unknown) => {
          parts.log.error(
            { cause, jobId },
            "the look at this node came to nothing; it is begun again when asked",
          );
          if (current?.jobId === jobId) current = null;
        });
      }
    },
    ended: (jobId) => (current?.jobId === jobId ? current.ended : null),
  };
}

const END = "That was all.";
