import { access } from "node:fs/promises";
import { join } from "node:path";
import type { Platform } from "../../protocol/build.ts";
import { err, type Fault, type Result } from "../../protocol/result.ts";
import { DEFAULT_ENGINES, type PackedBundle, type PackFault, packBundle } from "./pack.ts";
import { readStamp, type StampFault } from "./stamp.ts";
import type { Part } from "./tree.ts";
import { readWorkload, type WorkloadFault } from "./workload-file.ts";

/** The stock agent's program, at the top of its directory and of the bundles that carry it. */
export const AGENT_ENTRY = "agent.mjs";

/** Where a bundle's own runtime lies. */
export const RUNTIME_PATH = "bin/node";

export type MakeRequest = {
  /** What becomes `dist/`. */
  readonly dir: string;
  /**
   * `workload`: the stock agent goes beside the tree and supervises what its `workload.json` names. `library`: the
   * tree is a Node program of its own that calls `runAgent`, started by `entry`.
   */
  readonly mode:
    | { readonly kind: "workload"; readonly agentDir: string }
    | { readonly kind: "library"; readonly entry: string };
  readonly version?: string;
  readonly platform: Platform;
  /** A Node binary for the platform, to go along. */
  readonly runtime?: string;
  /** The archive; named after the version and platform, in the working directory, if not said. */
  readonly out?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => Date;
};

export type MakeFault =
  | PackFault
  | StampFault
  | WorkloadFault
  | Fault<"no-agent" | "no-runtime" | "no-directory">;

/** Makes a bundle from a directory, in either of the two ways: with the stock agent, or as a program of its own. */
export async function makeBundle(request: MakeRequest): Promise<Result<PackedBundle, MakeFault>> {
  const { dir, mode, platform, runtime } = request;
  const missing = await firstMissing(request);
  if (missing !== undefined) return err(missing);
  const stamp = await readStamp(request);
  if (!stamp.ok) return stamp;
  const workload = mode.kind === "workload" ? await readWorkload(dir) : undefined;
  if (workload?.ok === false) return workload;
  const beside: Part[] = mode.kind === "workload" ? [{ dir: mode.agentDir, at: "" }] : [];
  if (runtime !== undefined) beside.push({ file: runtime, at: RUNTIME_PATH });
  return packBundle({
    ...stamp.value,
    dir,
    beside,
    entry: mode.kind === "workload" ? AGENT_ENTRY : mode.entry,
    ...(workload === undefined ? {} : { workload: workload.value }),
    platform,
    engines: runtime === undefined ? DEFAULT_ENGINES : "*",
    out: request.out ?? `${stamp.value.version}-${platform}.tar.zst`,
  });
}

async function firstMissing({ dir, mode, runtime }: MakeRequest): Promise<MakeFault | undefined> {
  if (!(await isThere(dir))) {
    return {
      code: "no-directory",
      message: `There is no directory ${dir}.`,
      hint: "Name the tree to bundle.",
    };
  }
  if (mode.kind === "workload" && !(await isThere(join(mode.agentDir, AGENT_ENTRY)))) {
    return {
      code: "no-agent",
      message: `The stock agent is not at ${join(mode.agentDir, AGENT_ENTRY)}.`,
      hint: "Build it with `npm run build`, or say where it is with --agent DIR.",
    };
  }
  if (runtime !== undefined && !(await isThere(runtime))) {
    return {
      code: "no-runtime",
      message: `There is no Node binary at ${runtime}.`,
      hint: "Name one with --runtime FILE.",
    };
  }
  return undefined;
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
