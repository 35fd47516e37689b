/** What happened in a rollout, as lines that are read from the top: pure. */
import type { Job, Step } from "../../../../protocol/job.ts";
import type { RolloutNode, RolloutSummary } from "../../../../protocol/rollout.ts";
import type { Tone } from "../../parts/mark.tsx";
import { ROLLOUT_TONE } from "../overview/model.ts";
import { NODE_TONE } from "./words.ts";

export type Entry = {
  /** The same for the same thing, also when it is told again. */
  readonly key: string;
  readonly at: number;
  readonly tone: Tone;
  /** Of whom; null of the rollout as a whole. */
  readonly node: string | null;
  readonly text: string;
};

export const JOB_TONE: Readonly<Record<Job["status"], Tone>> = {
  queued: "idle",
  running: "busy",
  succeeded: "good",
  failed: "bad",
  cancelled: "idle",
};

export const STEP_WORDS: Readonly<Record<Step, string>> = {
  preflight: "looks whether it may",
  fetch: "fetches the bundle",
  prepare: "unpacks and tests the new build",
  reserve: "reserves the lease",
  handover: "hands leadership over",
  commit: "commits the lease",
  drain: "stops serving",
  swap: "swaps the build",
  restart: "restarts",
  health: "waits for its health",
  stabilize: "waits for steady heartbeats",
  confirm: "confirms the build",
  rollback: "goes back to the build before",
  complete: "is done",
  cancelled: "is cancelled",
};

/** What a job is doing. */
export const doingOf = ({ status, step }: Pick<Job, "status" | "step">): string =>
  status === "queued" ? "is queued" : step === null ? `is ${status}` : STEP_WORDS[step];

/** A job that has come to another step, seen at `at`. */
export function stepEntry(job: Job, node: string, at: number): Entry {
  const tone: Tone = job.status === "running" && job.step === "rollback" ? "warn" : JOB_TONE[job.status];
  return { key: `${job.id} ${job.step} ${job.status} ${at}`, at, tone, node, text: doingOf(job) };
}

/** What the record of the rollout itself says, so that a reload forgets none of it. */
export function historyOf(head: RolloutSummary, nodes: readonly RolloutNode[]): readonly Entry[] {
  const entries: Entry[] = [
    {
      key: "start",
      at: head.createdAt,
      tone: "idle",
      node: null,
      text: `the rollout was started by ${head.startedBy}`,
    },
  ];
  const count = head.stages.length;
  for (const [at, stage] of head.stages.entries()) {
    const name = count === 1 ? "the only stage" : `stage ${at + 1} of ${count}`;
    if (stage.startedAt !== null)
      entries.push({ key: `b${at}`, at: stage.startedAt, tone: "busy", node: null, text: `${name} began` });
    if (stage.endedAt !== null)
      entries.push({
        key: `e${at}`,
        at: stage.endedAt,
        tone: "idle",
        node: null,
        text: `${name} is over: ${stage.reason?.message ?? stage.status}`,
      });
  }
  for (const { nodeId, name, status, reason, endedAt } of nodes) {
    if (endedAt === null) continue;
    entries.push({
      key: `n${nodeId}`,
      at: endedAt,
      tone: NODE_TONE[status],
      node: name,
      text: reason?.message ?? status,
    });
  }
  if (head.endedAt !== null)
    entries.push({
      key: "end",
      at: head.endedAt,
      tone: ROLLOUT_TONE[head.status],
      node: null,
      text: `the rollout is ${head.status}`,
    });
  return entries;
}

/** Both in one, the newest first, at most so many. */
export const newestOf = (
  history: readonly Entry[],
  steps: readonly Entry[],
  most: number,
): readonly Entry[] => [...history.toReversed(), ...steps].sort((a, b) => b.at - a.at).slice(0, most);
