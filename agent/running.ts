/** What this process runs: the release that its entry lies in, or a development tree. */
import { readFileSync, realpathSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import {
  type Build,
  DEVELOPMENT_VERSION,
  type Platform,
  parseVersionJson,
  type VersionJson,
} from "../protocol/build.ts";

export type Running = {
  readonly build: Build;
  /** Root of the release; null for a development tree, which has no `version.json`. */
  readonly dist: string | null;
  readonly versionJson: VersionJson | null;
  readonly platform: Platform;
};

/**
 * Looks for `version.json` beside the entry (`process.argv[1]`, links followed) and above it: an entry may lie deep
 * in its bundle.
 */
export function findRunning(entry: string | undefined): Running {
  const platform: Platform = process.arch === "arm64" ? "linux-arm64" : "linux-x64";
  for (const dir of entry === undefined ? [] : upwards(dirname(realpathSync(entry)))) {
    const versionJson = readVersionJson(join(dir, "version.json"));
    if (versionJson === null) continue;
    const { version, buildHash } = versionJson;
    return { build: { version, buildHash }, dist: dir, versionJson, platform };
  }
  const build = { version: DEVELOPMENT_VERSION, buildHash: "0".repeat(64) };
  return { build, dist: null, versionJson: null, platform };
}

function* upwards(from: string): Generator<string> {
  const parts = from.split(sep);
  for (let depth = parts.length; depth > 1 && depth > parts.length - 8; depth--)
    yield parts.slice(0, depth).join(sep);
}

function readVersionJson(path: string): VersionJson | null {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return null;
    throw cause;
  }
  const parsed = parseVersionJson(text);
  return parsed.ok ? parsed.value : null;
}
