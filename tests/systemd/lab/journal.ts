import { existsSync, readdirSync } from "node:fs";
import { must } from "./command.ts";

export type JournalEntry = {
  /** Wall clock of the machine, milliseconds since 1970; all nodes share it. */
  readonly atMs: number;
  readonly unit: string;
  readonly message: string;
};

export type JournalQuery = {
  readonly unit?: string;
  /** Only the last so many entries. */
  readonly lines?: number;
  /** Only what was written after this instant, milliseconds since 1970. */
  readonly sinceMs?: number;
};

/** The entries of a node's journal, oldest first, read from the files. */
export async function readJournal(directory: string, query: JournalQuery): Promise<readonly JournalEntry[]> {
  if (empty(directory)) return [];
  const text = await must("journalctl", [...args(directory, query), "--output=json"]);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => entry(JSON.parse(line)));
}

/** The same for people. */
export async function showJournal(directory: string, query: JournalQuery): Promise<string> {
  if (empty(directory)) return "(no journal)";
  return (
    await must("journalctl", [...args(directory, query), "--output=short-precise", "--no-hostname"])
  ).trimEnd();
}

function args(directory: string, query: JournalQuery): readonly string[] {
  return [
    `--directory=${directory}`,
    "--quiet",
    "--no-pager",
    "--all",
    ...(query.unit === undefined ? [] : [`--unit=${query.unit}`]),
    ...(query.lines === undefined ? [] : [`--lines=${query.lines}`]),
    ...(query.sinceMs === undefined ? [] : [`--since=@${(query.sinceMs / 1000).toFixed(3)}`]),
  ];
}

function entry(value: Record<string, unknown>): JournalEntry {
  return {
    atMs: Number(value.__REALTIME_TIMESTAMP) / 1000,
    unit: text(value.UNIT ?? value._SYSTEMD_UNIT),
    message: text(value.MESSAGE),
  };
}

/** journalctl prints a message that is not clean text as a list of bytes. */
function text(value: unknown): string {
  if (Array.isArray(value)) return Buffer.from(value.map(Number)).toString("utf8");
  return typeof value === "string" ? value : "";
}

const empty = (directory: string): boolean => !existsSync(directory) || readdirSync(directory).length === 0;
