import { access, constants, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { UptimeMs } from "../../../protocol/time.ts";
import { readBootId } from "../../effects/boot-id.ts";
import { realDisk } from "../../effects/disk.ts";
import { hasCode } from "../../effects/durable.ts";
import type { Layout } from "../../effects/layout.ts";
import { readLinkOrNull } from "../../effects/placed.ts";
import { readTrial } from "../../effects/trial.ts";
import { runHook } from "../../workload/run-hook.ts";
import type { GuardFacts } from "../guard.ts";

export type GuardPlaces = {
  /** `/usr/lib/baton`. */
  readonly programs: string;
  /** `/run/baton-agent`. */
  readonly runDir: string;
  readonly layout: Layout;
};

const LIMIT_MS = 5_000;
const UNIT_FILES = ["/usr/lib/systemd/system", "/lib/systemd/system", "/etc/systemd/system"];

export async function lookAtGuard(
  { programs, runDir, layout }: GuardPlaces,
  crashes: (() => number) | null,
  now: UptimeMs,
): Promise<GuardFacts> {
  const guard = join(programs, "agent-guard");
  const broken: string[] = [];
  for (const program of [guard, join(programs, "agent-launch")]) {
    if (!(await isThere(program, constants.X_OK))) broken.push(program);
  }
  const units = await Promise.all(
    UNIT_FILES.map((dir) => isThere(join(dir, "baton-agent.service"), constants.F_OK)),
  );
  return {
    guard,
    broken,
    hasUnit: units.includes(true),
    formats: broken.includes(guard) ? null : await formatsOf(guard),
    trial: await lookAtTrial(layout),
    crashes: crashes === null ? await crashesIn(join(runDir, "process"), now) : crashes(),
  };
}

/** Where the launcher and the guard are: beside the package's runtime. */
export const programsOf = (env: Readonly<NodeJS.ProcessEnv>): string =>
  dirname(env.BATON_NODE ?? "/usr/lib/baton/node");

async function formatsOf(guard: string): Promise<readonly number[] | null> {
  const command = [guard, "formats"] as [string, ...string[]];
  const run = await runHook(
    { name: "formats", command, cwd: "/", env: {}, limitMs: LIMIT_MS },
    () => undefined,
  );
  if (!run.ok) return null;
  const formats = run.value.map(Number).filter(Number.isInteger);
  return formats.length === 0 ? null : formats;
}

async function lookAtTrial(layout: Layout): Promise<GuardFacts["trial"]> {
  const look = await readTrial(realDisk, layout, { bootId: readBootId(), refunds: 0 });
  if (look.kind === "missing") return { kind: "none" };
  if (look.kind === "unreadable") return { kind: "damaged", why: look.why };
  const tries = await realDisk.readdir(join(layout.trial, "tries")).catch((cause: unknown) => {
    if (hasCode(cause, "ENOENT")) return [];
    throw cause;
  });
  const dist = await readLinkOrNull(realDisk, layout.dist);
  const { to } = look.value;
  return { kind: "open", to, triesLeft: tries.length, isOn: dist === to };
}

const WELL_AFTER_MS = 60_000;

/** The launcher's record of the process that runs: "PID UPTIME_SECONDS CRASHES RELEASE". */
async function crashesIn(record: string, now: UptimeMs): Promise<number> {
  const text = await readFile(record, "utf8").catch((cause: unknown) => {
    if (hasCode(cause, "ENOENT") || hasCode(cause, "EACCES")) return "";
    throw cause;
  });
  const [, since, crashes] = /^\d+ (\d+) (\d+) /.exec(text) ?? [];
  if (since === undefined || crashes === undefined) return 0;
  return now - Number(since) * 1_000 < WELL_AFTER_MS ? Number(crashes) : 0;
}

const isThere = (path: string, how: number): Promise<boolean> =>
  access(path, how).then(
    () => true,
    () => false,
  );
