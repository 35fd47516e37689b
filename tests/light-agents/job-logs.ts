/** The logs of one agent's jobs: what it has written, what is under way, and what was acknowledged. */
import type { Log, Orders } from "../../protocol/frames.ts";
import type { JobId } from "../../protocol/names.ts";
import { type AgentRecord, lineText } from "./record.ts";

/** The coordinator asks for this index of a log that is full. */
const LOG_FULL = 2 ** 31 - 1;
const LINES_A_FRAME = 100;
/** Lines that may be under way of one job, so that a flood does not fill this process instead. */
const WINDOW = 2_000;

export class JobLogs {
  readonly #record: AgentRecord;
  /** Of each job the index that is sent next, in this session; and how long its lines are from which index on. */
  readonly #sent = new Map<JobId, number>();
  readonly #floods = new Map<JobId, { readonly from: number; readonly padding: number }>();
  #newest: JobId | null = null;

  constructor(record: AgentRecord) {
    this.#record = record;
  }

  write(jobId: JobId, lines: number): void {
    const job = this.#record.jobs[jobId] ?? { written: 0, acknowledged: 0, full: false, ended: false };
    this.#record.jobs[jobId] = job;
    job.written += lines;
    this.#newest = jobId;
    if (!job.full && !this.#sent.has(jobId)) this.#sent.set(jobId, job.acknowledged);
  }

  /** Long lines of the newest job, if there is one that can take more. */
  flood(lines: number, padding: number): void {
    const jobId = this.#newest;
    const job = jobId === null ? undefined : this.#record.jobs[jobId];
    if (jobId === null || job === undefined || job.full || this.#floods.has(jobId)) return;
    this.#floods.set(jobId, { from: job.written, padding });
    job.written += lines;
    if (!this.#sent.has(jobId)) this.#sent.set(jobId, job.acknowledged);
  }

  /** What was not acknowledged is sent again. */
  newSession(): void {
    for (const jobId of this.#sent.keys()) this.#sent.set(jobId, this.#record.jobs[jobId]?.acknowledged ?? 0);
  }

  acknowledge(logNext: Orders["logNext"]): void {
    for (const { jobId, index } of logNext) {
      const job = this.#record.jobs[jobId];
      if (job === undefined) continue;
      if (index < job.acknowledged) {
        this.#record.complaints.push(
          `line ${index} of ${jobId} is asked for, ${job.acknowledged} lines were acknowledged`,
        );
      }
      job.full ||= index === LOG_FULL;
      if (!job.full) job.acknowledged = Math.max(job.acknowledged, index);
      if (job.full || job.acknowledged >= job.written) this.#sent.delete(jobId);
    }
  }

  *toSend(): Generator<Pick<Log, "jobId" | "lines">> {
    for (const [jobId, from] of this.#sent) {
      const job = this.#record.jobs[jobId];
      if (job === undefined) continue;
      const end = Math.min(job.written, job.acknowledged + WINDOW);
      const flood = this.#floods.get(jobId);
      for (let at = from; at < end; at += LINES_A_FRAME) {
        const count = Math.min(LINES_A_FRAME, end - at);
        const lines = Array.from({ length: count }, (_, nth) => ({
          index: at + nth,
          at: Date.now(),
          source: "agent" as const,
          step: null,
          text: lineText(jobId, at + nth, flood !== undefined && at + nth >= flood.from ? flood.padding : 0),
        }));
        yield { jobId, lines };
      }
      if (end > from) this.#sent.set(jobId, end);
    }
  }
}
