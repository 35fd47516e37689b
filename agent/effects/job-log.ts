/**
 * The log of each job, one JSON line per line, in `state/jobs/<jobId>.jsonl`: what `agent logs` shows, and what is
 * sent to the coordinator. It spans the restart in the middle of an update, so its numbering goes on where the file
 * ends. It is not fsynced, and bounded in size and in number of files: it explains, and nothing is decided by it.
 */
import { join } from "node:path";
import { LogLine, type Step } from "../../protocol/job.ts";
import type { JobId } from "../../protocol/names.ts";
import { parseJson } from "../../protocol/parse.ts";
import type { EpochMs } from "../../protocol/time.ts";
import type { JobLog } from "../core/ports.ts";
import type { Disk } from "./disk.ts";
import { hasCode, writeDurably } from "./durable.ts";
import type { Layout } from "./layout.ts";
import type { Log } from "./log.ts";

export type JobLogs = JobLog & {
  /** Lines from `index` on, in order, at most `limit`; none for a job that is not known. */
  linesFrom(jobId: JobId, index: number, limit: number): Promise<readonly LogLine[]>;
  /** The jobs whose logs are kept, the one written to last first, across restarts. */
  jobs(): Promise<readonly JobSummary[]>;
  /** Calls back after lines were added, until the returned function is called. */
  subscribe(listener: (jobId: JobId) => void): () => void;
  /** Done when everything appended so far is in its file. */
  flush(): Promise<void>;
};

/** `at`: wall clock of its last line. */
export type JobSummary = { readonly jobId: JobId; readonly at: EpochMs; readonly lines: number };

export type JobLogLimits = { readonly maxLines: number; readonly maxFiles: number };
export const JOB_LOG_LIMITS: JobLogLimits = { maxLines: 4_000, maxFiles: 20 };

const MAX_TEXT = 4_096;
const FILE = /^(j-[0-9a-z]{12})\.jsonl$/;

/** Opens the logs that are there; a line torn by a crash is dropped. */
export async function openJobLogs(
  disk: Disk,
  layout: Layout,
  log: Log,
  limits: JobLogLimits = JOB_LOG_LIMITS,
): Promise<JobLogs> {
  const path = (jobId: JobId) => join(layout.jobs, `${jobId}.jsonl`);
  const next = new Map<JobId, number>();
  const listeners = new Set<(jobId: JobId) => void>();
  let writing: Promise<void> = Promise.resolve();
  /** Files whose end may be torn, as those are that `next` does not know: mended before anything is added. */
  const torn = new Set<JobId>();

  /** Cuts off what is torn, and numbers on from there. */
  const mend = async (jobId: JobId): Promise<void> => {
    const read = await readLines(disk, path(jobId));
    if (read.torn) await writeDurably(disk, path(jobId), read.lines.map(asText).join(""));
    next.set(jobId, (read.lines.at(-1)?.index ?? -1) + 1);
    torn.delete(jobId);
  };

  /** The numbers are given when it is written: what cannot be written leaves no gap, which nobody could fill. */
  const write = async (jobId: JobId, { at, source, step, text }: Omit<LogLine, "index">): Promise<void> => {
    if (torn.has(jobId) || !next.has(jobId)) await mend(jobId);
    const from = next.get(jobId) ?? 0;
    if (from >= limits.maxLines) return;
    const texts = printable(text).slice(0, limits.maxLines - from);
    const lines = texts.map((line, n): LogLine => ({ index: from + n, at, source, step, text: line }));
    const full = from + lines.length >= limits.maxLines;
    const last = lines.at(-1);
    const cut = full && last !== undefined ? [...lines.slice(0, -1), { ...last, text: FULL }] : lines;
    torn.add(jobId);
    const file = await disk.open(path(jobId), "append");
    try {
      await file.write(Buffer.from(cut.map(asText).join("")));
    } finally {
      await file.close();
    }
    torn.delete(jobId);
    next.set(jobId, from + lines.length);
  };

  // A log explains, and nothing is decided by it: nothing that is wrong with one keeps the agent from starting.
  try {
    await keepNewest(disk, layout, limits);
    for (const jobId of await readKnown(disk, layout)) await mend(jobId);
  } catch (cause) {
    log.warn({ cause }, "the logs of jobs could not be put in order");
  }

  return {
    append: (jobId, line) => {
      writing = writing.then(async () => {
        try {
          await write(jobId, line);
        } catch (cause) {
          log.warn({ cause, jobId }, "lines of a job's log could not be written");
        }
        for (const listener of listeners) listener(jobId);
      });
    },
    linesFrom: async (jobId, index, limit) => {
      await writing;
      const { lines } = await readLines(disk, path(jobId));
      const from = lines.findIndex((line) => line.index >= index);
      return from === -1 ? [] : lines.slice(from, from + limit);
    },
    jobs: async () => {
      await writing;
      const summaries: JobSummary[] = [];
      for (const jobId of await readKnown(disk, layout)) {
        const { lines } = await readLines(disk, path(jobId));
        const at = lines.at(-1)?.at;
        if (at !== undefined) summaries.push({ jobId, at, lines: lines.length });
      }
      return summaries.sort((a, b) => b.at - a.at);
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    flush: () => writing,
  };
}

const FULL = "This log is full; what follows is not kept.";

const asText = (line: LogLine): string => `${JSON.stringify(line)}\n`;

const visible = (char: string): string => {
  const code = char.charCodeAt(0);
  const isControl = (code < 0x20 && char !== "\n" && char !== "\t") || code === 0x7f;
  return isControl ? "\ufffd" : char;
};

/** One line each, without control characters, of bounded length. */
function printable(text: string): string[] {
  const clean = Array.from(text.replace(/\r\n?/g, "\n"), visible).join("");
  const lines = clean.split("\n").filter((line, n) => line !== "" || n === 0);
  return lines.map((line) => (line.length > MAX_TEXT ? `${line.slice(0, MAX_TEXT - 1)}…` : line));
}

async function readLines(disk: Disk, path: string): Promise<{ lines: LogLine[]; torn: boolean }> {
  let text: string;
  try {
    text = await disk.readText(path);
  } catch (cause) {
    if (hasCode(cause, "ENOENT")) return { lines: [], torn: false };
    throw cause;
  }
  const lines: LogLine[] = [];
  let torn = text !== "" && !text.endsWith("\n");
  for (const raw of text.split("\n").filter((line) => line !== "")) {
    const parsed = parseJson(LogLine, raw, "A line of a job's log");
    const rises = parsed.ok && parsed.value.index === (lines.at(-1)?.index ?? -1) + 1;
    if (parsed.ok && rises) lines.push(parsed.value);
    else torn = true;
  }
  return { lines, torn };
}

async function readKnown(disk: Disk, layout: Layout): Promise<JobId[]> {
  return (await disk.readdir(layout.jobs)).flatMap((name) => FILE.exec(name)?.[1] ?? []);
}

/** Removes all but the newest files. */
async function keepNewest(disk: Disk, layout: Layout, { maxFiles }: JobLogLimits): Promise<void> {
  const jobs = await readKnown(disk, layout);
  const dated: { jobId: JobId; changed: number }[] = [];
  for (const jobId of jobs) {
    dated.push({ jobId, changed: (await disk.lstat(join(layout.jobs, `${jobId}.jsonl`))).mtimeMs });
  }
  dated.sort((a, b) => b.changed - a.changed);
  for (const { jobId } of dated.slice(maxFiles)) await disk.unlink(join(layout.jobs, `${jobId}.jsonl`));
}

/** A line as the agent itself writes it. */
export const agentLine = (at: number, step: Step | null, text: string): Omit<LogLine, "index"> => ({
  at,
  source: "agent",
  step,
  text,
});
