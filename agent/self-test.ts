/**
 * `--self-test`: whether this build could run on this node, asked by the old build before it is swapped in, as the
 * service's user and with its settings. It loads everything that an agent ever loads, reads what an agent reads at
 * its start, and touches nothing.
 */
import { constants } from "node:fs";
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { HookCommand, VersionJson, Workload } from "../protocol/build.ts";
import { PROTOCOL } from "../protocol/frames.ts";
import { readConfig } from "./config.ts";
import { fits } from "./core/fits.ts";
import { readBootId } from "./effects/boot-id.ts";
import { realDisk } from "./effects/disk.ts";
import { hasCode } from "./effects/durable.ts";
import { readJoined } from "./effects/identity.ts";
import { layoutOf } from "./effects/layout.ts";
import { lookAround } from "./effects/recover.ts";
import type { Running } from "./running.ts";
import { readAuthorities } from "./session/authorities.ts";
import { workloadEnvironment } from "./workload/environment.ts";

export type SelfTest = {
  readonly ok: boolean;
  readonly build: Running["build"];
  /** Why it must not be swapped in. */
  readonly problems: readonly string[];
  /** What is amiss on this node, but no reason to keep the old build. */
  readonly notes: readonly string[];
};

/** Everything that is loaded only when it is needed: it must not be missing then. */
export type LoadParts = () => Promise<unknown>;

export async function selfTest(
  running: Running,
  loadParts: LoadParts,
  options: { readonly config: string | undefined; readonly env: Readonly<NodeJS.ProcessEnv> },
): Promise<SelfTest> {
  const problems: string[] = [];
  const notes: string[] = [];
  try {
    await loadParts();
  } catch (cause) {
    problems.push(`A part of this build cannot be loaded: ${wordsOf(cause)}`);
  }
  await judgeBuild(running, options.env, problems, notes);
  const config = await readConfig(options.config, options.env);
  if (config.ok) {
    if (config.value.caFile !== null && config.value.caFile !== undefined)
      judgeAuthorities(config.value.caFile, problems);
    await judgeState(config.value.stateDir, problems, notes);
  } else {
    problems.push(config.error.message);
  }
  return { ok: problems.length === 0, build: running.build, problems, notes };
}

async function judgeBuild(
  { dist, versionJson, platform }: Running,
  env: Readonly<NodeJS.ProcessEnv>,
  problems: string[],
  notes: string[],
): Promise<void> {
  if (dist === null || versionJson === null) {
    notes.push("There is no version.json above the entry: this is a development tree.");
    return;
  }
  const fit = fits(versionJson, { platform, nodeVersion: process.versions.node, protocol: PROTOCOL });
  if (!fit.ok) problems.push(fit.error.message);
  if (versionJson.workload !== undefined) problems.push(...(await missingPrograms(versionJson, dist, env)));
}

/** The programs that the workload names and that cannot be run. */
async function missingPrograms(
  { workload = {} }: VersionJson,
  dist: string,
  env: Readonly<NodeJS.ProcessEnv>,
): Promise<string[]> {
  const { PATH = "" } = workloadEnvironment(env, dist, process.execPath);
  const missing: string[] = [];
  for (const [name, [file = ""]] of commandsOf(workload)) {
    const places = file.includes("/")
      ? [file.startsWith("/") ? file : join(dist, file)]
      : PATH.split(":").map((dir) => join(dir, file));
    if (!(await anyRuns(places)))
      missing.push(`The workload's ${name}, ${file}, is no program that can be run.`);
  }
  return missing;
}

const commandsOf = ({ command, health, handover, drain, resume }: Workload): [string, HookCommand][] =>
  Object.entries({ command, health, handover, drain, resume }).flatMap(([name, value]) =>
    Array.isArray(value) ? [[name, value] as [string, HookCommand]] : [],
  );

async function anyRuns(places: readonly string[]): Promise<boolean> {
  for (const place of places) {
    try {
      await access(place, constants.X_OK);
      return true;
    } catch (cause) {
      if (!["ENOENT", "EACCES", "ENOTDIR"].some((code) => hasCode(cause, code))) throw cause;
    }
  }
  return false;
}

function judgeAuthorities(file: string, problems: string[]): void {
  try {
    readAuthorities(file);
  } catch (cause) {
    problems.push(`ca_file: ${wordsOf(cause)}`);
  }
}

/** Reads what a start reads. Torn files are the start's business; formats of a later build are not for this one. */
async function judgeState(stateDir: string, problems: string[], notes: string[]): Promise<void> {
  const layout = layoutOf(stateDir);
  try {
    const found = await lookAround(realDisk, layout, { bootId: readBootId(), refunds: 0 });
    for (const [what, look] of Object.entries({ journal: found.journal, trial: found.trial })) {
      if (look.kind === "unreadable") notes.push(`The ${what} cannot be read: ${look.why}`);
    }
    const joined = await readJoined(realDisk, layout.state);
    if (!joined.ok) notes.push(joined.error.message);
    const format = await journalFormat(layout.journal);
    if (format !== null && format > 1)
      problems.push(
        `The journal has format ${format}, and this build reads 1: it is older than what ran here.`,
      );
  } catch (cause) {
    if (hasCode(cause, "ENOENT")) notes.push(`${stateDir} is not there yet.`);
    else problems.push(`The state in ${stateDir} cannot be read: ${wordsOf(cause)}`);
  }
}

async function journalFormat(path: string): Promise<number | null> {
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    const named = typeof value === "object" && value !== null && "format" in value;
    return named && typeof value.format === "number" ? value.format : null;
  } catch (cause) {
    if (cause instanceof SyntaxError || hasCode(cause, "ENOENT")) return null;
    throw cause;
  }
}

const wordsOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
