/** `state/quarantine/<buildHash>`: builds that this node will not try again unasked. The file's name is what counts. */
import { join } from "node:path";
import { QuarantineEntry } from "../../protocol/journal.ts";
import type { EpochMs } from "../../protocol/time.ts";
import type { NewQuarantine } from "../core/machine/command.ts";
import type { Disk } from "./disk.ts";
import { hasCode, makeDirDurably, removeDurably, renameDurably, writeDurably } from "./durable.ts";
import type { Layout } from "./layout.ts";
import { lookAtJson, lookAtText } from "./look.ts";

const HASH = /^[0-9a-f]{64}$/;

/** All entries, by hash. One that cannot be read still counts; what it says is lost. */
export async function readQuarantine(disk: Disk, layout: Layout): Promise<QuarantineEntry[]> {
  const names = await namesIn(disk, layout.quarantine);
  const entries: QuarantineEntry[] = [];
  for (const buildHash of names.filter((name) => HASH.test(name))) {
    const look = await lookAtJson(disk, join(layout.quarantine, buildHash), QuarantineEntry, "The entry");
    if (look.kind === "missing") continue;
    const readable = look.kind === "found" && look.value.build.buildHash === buildHash;
    entries.push(readable ? look.value : await unreadable(disk, layout, buildHash));
  }
  return entries;
}

/** Writes an entry. On a full disk the one that lies ready in `trial/` for the same build is moved into place. */
export async function quarantine(
  disk: Disk,
  layout: Layout,
  entry: NewQuarantine,
  at: EpochMs,
): Promise<void> {
  const { buildHash } = entry.build;
  const path = join(layout.quarantine, buildHash);
  try {
    await makeDirDurably(disk, layout.quarantine);
    await writeDurably(disk, path, `${JSON.stringify({ ...entry, at })}\n`);
  } catch (cause) {
    if ((await namesIn(disk, layout.quarantine)).includes(buildHash)) return;
    const readyFor = await lookAtText(disk, join(layout.trial, "to-hash"));
    if (readyFor.kind !== "found" || readyFor.value.trim() !== buildHash) throw cause;
    await renameDurably(disk, join(layout.trial, "quarantine"), path);
  }
}

/** Removes an entry; none there is fine. */
export const liftQuarantine = (disk: Disk, layout: Layout, buildHash: string): Promise<void> =>
  removeDurably(disk, join(layout.quarantine, buildHash));

/** The name of its release is what can still be known of a build. */
async function unreadable(disk: Disk, layout: Layout, buildHash: string): Promise<QuarantineEntry> {
  const suffix = `-${buildHash.slice(0, 12)}`;
  const release = (await namesIn(disk, layout.releases)).find((name) => name.endsWith(suffix));
  return {
    build: { version: release?.slice(0, -suffix.length) ?? "0.0.0-unknown", buildHash },
    reason: {
      code: "unreadable",
      message: "The quarantine entry cannot be read; the build stays quarantined.",
    },
    at: 0,
    provisional: false,
    by: "agent",
  };
}

async function namesIn(disk: Disk, dir: string): Promise<string[]> {
  try {
    return await disk.readdir(dir);
  } catch (cause) {
    if (hasCode(cause, "ENOENT")) return [];
    throw cause;
  }
}
