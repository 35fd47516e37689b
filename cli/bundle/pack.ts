import { createReadStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { type Build, type Platform, VersionJson, type Workload } from "../../protocol/build.ts";
import { buildHash } from "../../protocol/build-hash.ts";
import type { BundleFault } from "../../protocol/bundle-faults.ts";
import { NO_SINK, type ReadBundle, readBundle } from "../../protocol/bundle-reader.ts";
import { PROTOCOL } from "../../protocol/frames.ts";
import { parse } from "../../protocol/parse.ts";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import { writeArchive } from "./archive.ts";
import type { Stamp } from "./stamp.ts";
import { hashEntries, type Part, readParts } from "./tree.ts";

/** Node that a bundle without a runtime of its own needs. */
export const DEFAULT_ENGINES = ">=26.0.0";

export type PackRequest = Stamp & {
  /** The tree that becomes `dist/`. */
  readonly dir: string;
  /** What goes beside it: the agent beside a workload, or a runtime. */
  readonly beside?: readonly Part[];
  /** The program that is started, relative to the tree. */
  readonly entry: string;
  readonly workload?: Workload;
  readonly platform: Platform;
  /** Range of Node for the entry; see `DEFAULT_ENGINES`. */
  readonly engines?: string;
  /** The archive to write. */
  readonly out: string;
};

export type PackedBundle = {
  readonly file: string;
  readonly build: Build;
  /** Of the archive. */
  readonly sha256: string;
  readonly bytes: number;
  readonly versionJson: VersionJson;
};

export type PackFault = BundleFault | Fault<"malformed">;

/**
 * Packs a tree into a bundle. The same tree with the same stamp gives the same bytes. The archive is read back and
 * judged before it gets its name, so nothing that an agent would refuse is ever made; on a fault `out` is as it was.
 */
export async function packBundle(request: PackRequest): Promise<Result<PackedBundle, PackFault>> {
  const { version, gitCommit, builtAt, entry, platform, workload, out } = request;
  const entries = await readParts([{ dir: request.dir, at: "" }, ...(request.beside ?? [])]);
  if (!entries.ok) return entries;
  const hash = buildHash(await hashEntries(entries.value));
  const versionJson = parse(
    VersionJson,
    {
      version,
      buildHash: hash,
      builtAt,
      gitCommit,
      entry,
      engines: { node: request.engines ?? DEFAULT_ENGINES },
      platform,
      protocol: PROTOCOL,
      ...(workload === undefined ? {} : { workload }),
    },
    "version.json",
  );
  if (!versionJson.ok) return versionJson;
  const unfinished = `${out}.tmp`;
  try {
    const text = `${JSON.stringify(versionJson.value, null, 2)}\n`;
    const { sha256, bytes } = await writeArchive(unfinished, text, entries.value);
    const read = await readBundle(createReadStream(unfinished), NO_SINK);
    if (!read.ok) return read;
    await rename(unfinished, out);
    return ok({
      file: out,
      build: { version, buildHash: hash },
      sha256,
      bytes,
      versionJson: versionJson.value,
    });
  } finally {
    await rm(unfinished, { force: true });
  }
}

/** Reads a bundle through, by the same rules as an agent that unpacks it, and keeps nothing. */
export async function inspectBundle(file: string): Promise<Result<ReadBundle, BundleFault>> {
  try {
    return await readBundle(createReadStream(file, { highWaterMark: 256 * 1024 }), NO_SINK);
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ENOENT")) throw cause;
    return err({ code: "bundle-corrupt", message: `There is no bundle at ${file}.` });
  }
}
