import { join } from "node:path";
import type { Found } from "../core/recover.ts";
import type { Disk } from "./disk.ts";
import { isTemporaryName, makeDirDurably } from "./durable.ts";
import { lookAtFloor } from "./floor.ts";
import { readJournal } from "./journal.ts";
import type { Layout } from "./layout.ts";
import { readPlaced } from "./placed.ts";
import { readQuarantine } from "./quarantine.ts";
import { readTrial, type TrialTerms } from "./trial.ts";
import { readVerdict } from "./verdict.ts";

/** Creates what an agent needs of its state directory and is not there. */
export async function makeLayout(disk: Disk, layout: Layout): Promise<void> {
  for (const dir of [layout.releases, layout.download]) await makeDirDurably(disk, dir);
  await makeDirDurably(disk, layout.state, 0o700);
  for (const dir of [layout.quarantine, layout.jobs]) await makeDirDurably(disk, dir);
}

/** Removes what writes that were cut off have left. To be run before anything is written. */
export async function removeTemporaries(disk: Disk, layout: Layout): Promise<void> {
  for (const dir of [layout.root, layout.state, layout.quarantine, layout.jobs]) {
    for (const name of await disk.readdir(dir)) {
      if (isTemporaryName(name)) await disk.unlink(join(dir, name));
    }
  }
}

/** Reads everything that a start has to know. Changes nothing; torn and missing files are part of the answer. */
export async function lookAround(
  disk: Disk,
  layout: Layout,
  terms: Pick<TrialTerms, "bootId" | "refunds">,
): Promise<Found> {
  return {
    journal: await readJournal(disk, layout),
    dist: await readPlaced(disk, layout.root, "dist"),
    backup: await readPlaced(disk, layout.root, "dist.bak"),
    trial: await readTrial(disk, layout, terms),
    quarantine: await readQuarantine(disk, layout),
    verdict: await readVerdict(disk, layout),
    floor: await lookAtFloor(disk, layout),
  };
}
