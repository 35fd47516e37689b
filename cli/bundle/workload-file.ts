import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Workload } from "../../protocol/build.ts";
import { nearest } from "../../protocol/nearest.ts";
import { parse } from "../../protocol/parse.ts";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import { readSettings } from "../../protocol/settings.ts";

/** Where a tree names its command and hooks: one of these, at its top. */
export const WORKLOAD_FILES = ["workload.json", "workload.toml"] as const;

export type WorkloadFault = Fault<"workload-file" | "workload-program">;

/**
 * What a tree says of the program in it: `workload.json` with the keys of `Workload`, or `workload.toml` with the
 * same in snake_case. Programs are named as they are from the tree's top, which becomes `dist/`: `./health.sh`.
 *
 * Errors: `workload-file` names the file, the line where it is known, the key and what would be right;
 * `workload-program` a program of the tree that is not there or not executable.
 */
export async function readWorkload(dir: string): Promise<Result<Workload, WorkloadFault>> {
  const found: { file: string; text: string }[] = [];
  for (const name of WORKLOAD_FILES) {
    const text = await readIfThere(join(dir, name));
    if (text !== undefined) found.push({ file: join(dir, name), text });
  }
  const [first, second] = found;
  if (first === undefined) {
    return refuse(
      `${dir} has neither workload.json nor workload.toml.`,
      'Write one that names the command and the hooks, such as { "command": ["./serve"], "health": ["./health"] }, or use --library ENTRY if the program calls runAgent itself.',
    );
  }
  if (second !== undefined) return refuse(`${dir} has both workload.json and workload.toml.`, "Keep one.");
  const workload = first.file.endsWith(".toml") ? readToml(first) : readJson(first);
  return workload.ok ? await checkPrograms(dir, first.file, workload.value) : workload;
}

function readToml({ file, text }: { file: string; text: string }): Result<Workload, WorkloadFault> {
  const read = readSettings(Workload, text, file);
  if (read.ok) return ok(read.value.settings);
  return refuse(read.error.message, "Correct the file.");
}

function readJson({ file, text }: { file: string; text: string }): Result<Workload, WorkloadFault> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const what = cause instanceof Error ? cause.message.replace(/\s+/g, " ") : String(cause);
    return refuse(`${file} is not JSON: ${what}.`, "Correct the file.");
  }
  const known = Object.keys(Workload.properties);
  for (const key of typeof value === "object" && value !== null ? Object.keys(value) : []) {
    if (known.includes(key)) continue;
    const meant = nearest(key, known);
    const hint = meant === null ? `Known are ${known.join(", ")}.` : `Did you mean ${meant}?`;
    return refuse(`${file}: there is no key ${JSON.stringify(key)}.`, hint);
  }
  const parsed = parse(Workload, value, file);
  return parsed.ok ? parsed : refuse(parsed.error.message, "Correct the file.");
}

/** A program that is named by a path must be in the tree, and executable; one without a slash is the node's. */
async function checkPrograms(
  dir: string,
  file: string,
  workload: Workload,
): Promise<Result<Workload, WorkloadFault>> {
  for (const [key, hook] of Object.entries(workload)) {
    const program: unknown = Array.isArray(hook) ? hook[0] : undefined;
    if (typeof program !== "string" || !program.includes("/") || program.startsWith("/")) continue;
    const stat = await lstat(join(dir, program)).catch(() => undefined);
    if (stat === undefined || stat.isDirectory() || (stat.isFile() && (stat.mode & 0o111) === 0)) {
      return err({
        code: "workload-program",
        message: `${file}: ${key} names ${program}, which is ${stat === undefined ? "not there" : "not executable"}.`,
        hint: "Name programs as they are from the directory's top, and make them executable.",
      });
    }
  }
  return ok(workload);
}

const refuse = (message: string, hint: string): Result<never, WorkloadFault> =>
  err({ code: "workload-file", message, hint });

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw cause;
  }
}
