/** A small bundle, and a release as it lies unpacked, for tests of what is done with either. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeBundle } from "../../cli/bundle/make.ts";
import type { Platform } from "../../protocol/build.ts";

export const PLATFORM: Platform = process.arch === "arm64" ? "linux-arm64" : "linux-x64";

/** What the entry of a bundle does when it is started with `--self-test`. */
export const PASSES = "console.log(JSON.stringify({ ok: true }));\n";
export const FAILS = 'console.error("cannot find its disk");\nprocess.exit(1);\n';

/** Packs a bundle whose entry is this text. */
export async function packEntry(dir: string, version: string, entry: string) {
  const tree = join(dir, `tree-${version}`);
  await mkdir(tree);
  await writeFile(join(tree, "entry.mjs"), entry);
  const packed = await makeBundle({
    dir: tree,
    mode: { kind: "library", entry: "entry.mjs" },
    version,
    platform: PLATFORM,
    out: join(dir, `${version}.tar.zst`),
    env: {},
    now: () => new Date(0),
  });
  if (!packed.ok) throw new Error(packed.error.message);
  return packed.value;
}
