import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { realDisk } from "../../../agent/effects/disk.ts";
import { temporaryName } from "../../../agent/effects/durable.ts";
import { type Layout, layoutOf } from "../../../agent/effects/layout.ts";
import { makeLayout, removeTemporaries } from "../../../agent/effects/recover.ts";

let layout: Layout;
beforeEach(async () => {
  layout = layoutOf(await mkdtemp(join(tmpdir(), "baton-temporaries-")));
  await makeLayout(realDisk, layout);
});
afterEach(() => rm(layout.root, { recursive: true }));

const HASH = "a".repeat(64);

// Found by the crash points: a write that was cut off left its temporary file, and nobody ever looked for it again.
it("what a write has left that was cut off is removed at the next start, and nothing else", async () => {
  const files = [layout.journal, layout.floor, join(layout.quarantine, HASH), join(layout.jobs, "j-1.jsonl")];
  for (const file of files) {
    await writeFile(file, "");
    await writeFile(temporaryName(file), "half of it");
  }
  for (const link of [layout.dist, layout.backup]) await symlink("releases/none", temporaryName(link));
  await mkdir(layout.trialNew);
  await removeTemporaries(realDisk, layout);
  const left = await readdir(layout.root, { recursive: true });
  expect(left.filter((path) => path.endsWith(".tmp"))).toEqual([]);
  for (const file of files) expect(left.map((path) => join(layout.root, path))).toContain(file);
  expect(left).toContain("state/.trial-new");
});
