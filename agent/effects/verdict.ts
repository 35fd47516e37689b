import { join } from "node:path";
import { Verdict } from "../core/journal.ts";
import type { Look } from "../core/recover.ts";
import type { Disk } from "./disk.ts";
import { removeDurably, renameDurably, writeDurably } from "./durable.ts";
import type { Layout } from "./layout.ts";
import { lookAtJson } from "./look.ts";

/** `state/verdict`: why the old build is back, for the old build to read. */
export const readVerdict = (disk: Disk, { verdict }: Layout): Promise<Look<Verdict>> =>
  lookAtJson(disk, verdict, Verdict, "state/verdict");

/** Writes it. On a full disk the one that lies ready in `trial/` is moved into place. */
export async function leaveVerdict(disk: Disk, layout: Layout, verdict: Verdict): Promise<void> {
  try {
    await writeDurably(disk, layout.verdict, `${JSON.stringify(verdict)}\n`);
  } catch {
    // Less is said than could be, which is better than nothing; if this fails too, the error is the caller's.
    await renameDurably(disk, join(layout.trial, "verdict"), layout.verdict);
  }
}

export const forgetVerdict = (disk: Disk, { verdict }: Layout): Promise<void> => removeDurably(disk, verdict);
