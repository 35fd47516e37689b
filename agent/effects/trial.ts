/**
 * `state/trial/`: what the guard goes by while a build is on probation. The agent makes it whole beside and renames
 * it into place before the flip, and renames it away when the build is kept: that rename decides any race.
 *
 *   format "1" · to, from (texts of the link dist) · to-hash · boot-id · since (uptime at the swap, ms) · budget-ms
 *   tries/1..N, refunds/1..M (empty) · back (link to from) · quarantine, verdict (ready for the guard to move)
 *   swap (the agent's own record, should the journal be lost) · ready, stop-requested, attempt (made later)
 */
import { join } from "node:path";
import { parseJson } from "../../protocol/parse.ts";
import type { EpochMs, UptimeMs } from "../../protocol/time.ts";
import { Swap, type Verdict } from "../core/journal.ts";
import type { NewQuarantine } from "../core/machine/command.ts";
import type { Look, TrialFound } from "../core/recover.ts";
import type { Disk } from "./disk.ts";
import { fsyncDir, hasCode, makeDirDurably, removeDurably, renameDurably, writeDurably } from "./durable.ts";
import type { Layout } from "./layout.ts";
import { lookAtText } from "./look.ts";
import { readLinkOrNull } from "./placed.ts";

export type TrialTerms = {
  readonly tries: number;
  readonly refunds: number;
  readonly budgetMs: number;
  readonly bootId: string;
};

export type Trial = TrialTerms & {
  readonly swap: Swap;
  readonly quarantine: NewQuarantine;
  readonly verdict: Verdict;
  readonly since: UptimeMs;
  readonly at: EpochMs;
};

const FORMAT = "1";

/** Makes `trial/`, durable as a whole. A trial and a verdict of an earlier swap that were left over make way. */
export async function writeTrial(disk: Disk, layout: Layout, trial: Trial): Promise<void> {
  const { swap } = trial;
  const dir = layout.trialNew;
  await removeDurably(disk, layout.verdict);
  await disk.rm(dir);
  await makeDirDurably(disk, dir);
  const files = {
    format: FORMAT,
    to: swap.to.link,
    from: swap.from.link,
    "to-hash": swap.to.build.buildHash,
    "boot-id": trial.bootId,
    since: String(trial.since),
    "budget-ms": String(trial.budgetMs),
    quarantine: JSON.stringify({ ...trial.quarantine, at: trial.at }),
    verdict: JSON.stringify(trial.verdict),
    swap: JSON.stringify(swap),
  };
  for (const [name, text] of Object.entries(files)) await writeNew(disk, join(dir, name), `${text}\n`);
  await emptyFiles(disk, join(dir, "tries"), trial.tries);
  await emptyFiles(disk, join(dir, "refunds"), trial.refunds);
  await disk.symlink(swap.from.link, join(dir, "back"));
  await fsyncDir(disk, dir);
  await discardTrial(disk, layout);
  await renameDurably(disk, dir, layout.trial);
}

/** What is left of a trial. Rejects only when the disk itself fails. */
export async function readTrial(
  disk: Disk,
  layout: Layout,
  terms: Pick<TrialTerms, "bootId" | "refunds">,
): Promise<Look<TrialFound>> {
  try {
    const names = await disk.readdir(layout.trial);
    const line = async (name: string) => firstLine(await lookAtText(disk, join(layout.trial, name)));
    if ((await line("format")) !== FORMAT) return { kind: "unreadable", why: "its format is not 1" };
    const [to, from, since] = [await line("to"), await line("from"), await line("since")];
    if (to === null || from === null) return { kind: "unreadable", why: "it does not say from what to what" };
    const swap = parseJson(Swap, (await line("swap")) ?? "", "trial/swap");
    const refunds = names.includes("refunds") ? await disk.readdir(join(layout.trial, "refunds")) : [];
    const value: TrialFound = {
      to,
      from,
      hasBack: (await readLinkOrNull(disk, join(layout.trial, "back"))) !== null,
      swap: swap.ok ? swap.value : null,
      since: since !== null && /^\d{1,15}$/.test(since) ? Number(since) : null,
      thisBoot: (await line("boot-id")) === terms.bootId,
      wasStopped: refunds.length < terms.refunds,
    };
    return { kind: "found", value };
  } catch (cause) {
    if (hasCode(cause, "ENOENT")) return { kind: "missing" };
    if (hasCode(cause, "ENOTDIR")) return { kind: "unreadable", why: "it is not a directory" };
    throw cause;
  }
}

/**
 * Takes `trial/` away. `guard-was-faster` when `dist` does not name the build on trial any more: the guard had
 * moved the ready link before the rename. May be repeated.
 */
export async function removeTrial(
  disk: Disk,
  layout: Layout,
  { to }: Swap,
): Promise<"removed" | "guard-was-faster"> {
  await discardTrial(disk, layout);
  return (await readLinkOrNull(disk, layout.dist)) === to.link ? "removed" : "guard-was-faster";
}

/** Takes `trial/` away in one rename, then removes it at leisure. None there is fine. */
export async function discardTrial(disk: Disk, layout: Layout): Promise<void> {
  await disk.rm(layout.trialGone);
  try {
    await disk.rename(layout.trial, layout.trialGone);
  } catch (cause) {
    if (!hasCode(cause, "ENOENT")) throw cause;
    return;
  }
  await fsyncDir(disk, layout.state);
  await disk.rm(layout.trialGone);
}

/** The guard's deadline for one start: so long that it never comes. A build that hangs is left to systemd's watchdog. */
export const suspendDeadline = (disk: Disk, layout: Layout): Promise<void> =>
  writeDurably(disk, join(layout.trial, "budget-ms"), "999999999\n");

const firstLine = (look: Look<string>): string | null =>
  look.kind === "found" ? (look.value.split("\n", 1)[0] ?? null) : null;

async function writeNew(disk: Disk, path: string, text: string): Promise<void> {
  const file = await disk.open(path, "create");
  try {
    await file.write(Buffer.from(text));
    await file.sync();
  } finally {
    await file.close();
  }
}

async function emptyFiles(disk: Disk, dir: string, count: number): Promise<void> {
  await disk.mkdir(dir);
  for (let number = 1; number <= count; number++) await writeNew(disk, join(dir, String(number)), "");
  await fsyncDir(disk, dir);
}
