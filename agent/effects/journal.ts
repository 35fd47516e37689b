import { Journal } from "../core/journal.ts";
import type { Look } from "../core/recover.ts";
import type { Disk } from "./disk.ts";
import { writeDurably } from "./durable.ts";
import type { Layout } from "./layout.ts";
import { lookAtJson } from "./look.ts";

export const readJournal = (disk: Disk, { journal }: Layout): Promise<Look<Journal>> =>
  lookAtJson(disk, journal, Journal, "journal.json");

/** Replaces the journal as a whole; when this returns, a crash finds the new one. */
export const writeJournal = (disk: Disk, { journal }: Layout, content: Journal): Promise<void> =>
  writeDurably(disk, journal, `${JSON.stringify(content)}\n`);
