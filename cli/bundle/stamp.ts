import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { DEVELOPMENT_VERSION, Version } from "../../protocol/build.ts";
import { parse } from "../../protocol/parse.ts";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";

/** What a build says of where it comes from. */
export type Stamp = {
  readonly version: string;
  /** Twelve digits of the commit, `-dirty` behind it when the tree had changes; outside git `unknown`. */
  readonly gitCommit: string;
  /** RFC 3339 instant. */
  readonly builtAt: string;
};

export type StampRequest = {
  readonly dir: string;
  /** Goes before what `package.json` says. */
  readonly version?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => Date;
};

export type StampFault = Fault<"bad-version" | "bad-source-date-epoch">;

/**
 * The stamp of a tree: its version from the request, else from its `package.json`, else `0.0.0-dev`; its commit from
 * git; its time from `SOURCE_DATE_EPOCH` (seconds since 1970), else from the clock.
 *
 * Source: https://reproducible-builds.org/specs/source-date-epoch/
 */
export async function readStamp(request: StampRequest): Promise<Result<Stamp, StampFault>> {
  const version = request.version ?? (await packageVersion(request.dir)) ?? DEVELOPMENT_VERSION;
  const parsed = parse(Version, version, "version");
  if (!parsed.ok) {
    return err({
      code: "bad-version",
      message: `${JSON.stringify(version)} is not a version.`,
      hint: "Give one like 1.4.0 by --version or in package.json.",
    });
  }
  const builtAt = readBuiltAt(request);
  if (!builtAt.ok) return builtAt;
  return ok({ version, gitCommit: await readCommit(request.dir), builtAt: builtAt.value });
}

async function packageVersion(dir: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(join(dir, "package.json"), "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw cause;
  }
  const json: unknown = JSON.parse(text);
  const named = typeof json === "object" && json !== null && "version" in json ? json.version : undefined;
  return typeof named === "string" ? named : undefined;
}

function readBuiltAt({ env, now }: StampRequest): Result<string, StampFault> {
  const epoch = env.SOURCE_DATE_EPOCH;
  if (epoch === undefined || epoch === "") return ok(toInstant(now()));
  const date = new Date(Number(epoch) * 1000);
  if (/^\d+$/.test(epoch) && !Number.isNaN(date.getTime())) return ok(toInstant(date));
  return err({
    code: "bad-source-date-epoch",
    message: `SOURCE_DATE_EPOCH is ${JSON.stringify(epoch)}, which is not a number of seconds since 1970.`,
    hint: "Correct it or unset it.",
  });
}

const toInstant = (date: Date): string => date.toISOString().replace(/\.\d+Z$/, "Z");

async function readCommit(dir: string): Promise<string> {
  try {
    const commit = await git(dir, "rev-parse", "--short=12", "HEAD");
    const changes = await git(dir, "status", "--porcelain");
    return changes === "" ? commit : `${commit}-dirty`;
  } catch {
    // No git, no repository, or none that this user may read: where it comes from is not known.
    return "unknown";
  }
}

const run = promisify(execFile);
const git = async (dir: string, ...args: string[]): Promise<string> =>
  (await run("git", ["-C", dir, ...args])).stdout.trim();
