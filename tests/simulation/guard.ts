/**
 * `packaging/guard/agent-guard` over the port of a simulated disk: the same decisions and the same effects in the same
 * order, so that a machine may die between any two of them. `guard.test.ts` compares it with the shell's own.
 */
import type { Disk } from "../../agent/effects/disk.ts";
import { fsyncDir } from "../../agent/effects/durable.ts";
import { readLinkOrNull } from "../../agent/effects/placed.ts";

export type GuardWorld = {
  readonly disk: Disk;
  /** The state directory. */
  readonly root: string;
  /** What would be on standard error: the code of each sentence. */
  readonly say: (code: string) => void;
};

/** What the launcher wrote of the process that it became. */
export type ProcessRecord = { readonly uptimeSeconds: number; readonly release: string };

type Probation = { readonly to: string; readonly from: string; readonly hash: string | null };

/** Before every start: takes a try, or goes back when none is left. */
export async function guardStart(world: GuardWorld): Promise<void> {
  const found = await probation(world);
  if (found === null) return;
  const { disk, root, say } = world;
  const trial = `${root}/state/trial`;
  await unlinkIfThere(disk, `${trial}/ready`);
  if (found.hash !== null && (await exists(disk, `${root}/state/quarantine/${found.hash}`))) {
    await goBack(world, found);
  } else if (await refunded(world)) {
    say("try-refunded");
  } else if (await takeOne(disk, `${trial}/tries`)) {
    say("try-taken");
  } else {
    await goBack(world, found);
  }
}

/** When systemd stops the unit while its main process lives. */
export async function guardStop({ disk, root }: GuardWorld): Promise<void> {
  const trial = `${root}/state/trial`;
  if (await exists(disk, `${trial}/ready`)) await disk.rename(`${trial}/ready`, `${trial}/stop-requested`);
}

/** From the timer: whether the process is to be killed, its tries being gone. */
export async function guardDeadline(
  world: GuardWorld,
  record: ProcessRecord | null,
  uptimeSeconds: number,
): Promise<boolean> {
  const found = await probation(world);
  const { disk, root, say } = world;
  const trial = `${root}/state/trial`;
  if (found === null || (await exists(disk, `${trial}/stop-requested`))) return false;
  if (record === null || `releases/${record.release}` !== found.to) return false;
  const budget = await firstLine(disk, `${trial}/budget-ms`);
  const budgetMs = budget !== null && isNumber(budget) ? Number(budget) : 90_000;
  if (uptimeSeconds - record.uptimeSeconds <= Math.floor((budgetMs + 30_000) / 1000)) return false;
  if (!(await hasBuild(world, found.from))) return false;
  await unlinkIfThere(disk, `${trial}/stop-requested`);
  for (const name of await namesIn(disk, `${trial}/tries`))
    await unlinkIfThere(disk, `${trial}/tries/${name}`);
  await sync(disk, `${trial}/tries`);
  if (!(await exists(disk, `${trial}/to`))) return false;
  say("deadline-passed");
  return true;
}

/** The trial, if it is whole and `dist` names its build. */
async function probation({ disk, root, say }: GuardWorld): Promise<Probation | null> {
  const trial = `${root}/state/trial`;
  if (!(await exists(disk, trial))) return null;
  const damaged = () => {
    say("trial-damaged");
    return null;
  };
  const stat = await disk.lstat(trial);
  if (!stat.isDirectory()) return damaged();
  if ((await firstLine(disk, `${trial}/format`)) !== "1") return damaged();
  const to = await firstLine(disk, `${trial}/to`);
  if (to === null || !isRelease(to)) return damaged();
  const from = await firstLine(disk, `${trial}/from`);
  if (from === null || !isRelease(from) || from === to) return damaged();
  const hash = await firstLine(disk, `${trial}/to-hash`);
  if ((await readLinkOrNull(disk, `${root}/dist`)) !== to) return null;
  return { to, from, hash: hash !== null && /^[0-9a-f]+$/.test(hash) ? hash : null };
}

async function refunded({ disk, root, say }: GuardWorld): Promise<boolean> {
  const trial = `${root}/state/trial`;
  if (!(await exists(disk, `${trial}/stop-requested`))) return false;
  const took = await takeOne(disk, `${trial}/refunds`);
  await unlinkIfThere(disk, `${trial}/stop-requested`);
  if (!took) say("refunds-used");
  return took;
}

async function takeOne(disk: Disk, dir: string): Promise<boolean> {
  const first = (await namesIn(disk, dir)).find((name) => !name.startsWith("."));
  if (first === undefined || !(await unlinkIfThere(disk, `${dir}/${first}`))) return false;
  await sync(disk, dir);
  return true;
}

async function goBack(world: GuardWorld, { from, hash }: Probation): Promise<void> {
  const { disk, root, say } = world;
  const trial = `${root}/state/trial`;
  if (!(await hasBuild(world, from))) return;
  if ((await readLinkOrNull(disk, `${trial}/back`)) !== from) {
    say("trial-damaged");
    await unlinkIfThere(disk, `${trial}/back`);
    if (!(await tried(disk.symlink(from, `${trial}/back`)))) return;
  }
  await quarantineFirst(world, hash);
  if (!(await tried(disk.rename(`${trial}/back`, `${root}/dist`)))) return say("back-failed");
  await sync(disk, root);
  say("went-back");
}

async function quarantineFirst({ disk, root, say }: GuardWorld, hash: string | null): Promise<void> {
  const trial = `${root}/state/trial`;
  const entry = `${root}/state/quarantine/${hash ?? ""}`;
  if (hash === null) {
    say("trial-damaged");
  } else if (!(await exists(disk, entry))) {
    if (!(await exists(disk, `${root}/state/quarantine`)))
      await tried(disk.mkdir(`${root}/state/quarantine`));
    if (!(await tried(disk.rename(`${trial}/quarantine`, entry)))) say("quarantine-failed");
    await sync(disk, `${root}/state/quarantine`);
  } else if (await exists(disk, `${root}/state/verdict`)) {
    return;
  }
  if (await exists(disk, `${trial}/verdict`)) {
    if (!(await tried(disk.rename(`${trial}/verdict`, `${root}/state/verdict`)))) say("verdict-failed");
  }
  await sync(disk, `${root}/state`);
}

async function hasBuild({ disk, root, say }: GuardWorld, release: string): Promise<boolean> {
  if (await exists(disk, `${root}/${release}/.complete`)) return true;
  say("no-way-back");
  return false;
}

const isRelease = (line: string): boolean => /^releases\/[A-Za-z0-9_+-][A-Za-z0-9._+-]*$/.test(line);
const isNumber = (line: string): boolean => /^(0|[1-9]\d{0,8})$/.test(line);

async function firstLine(disk: Disk, path: string): Promise<string | null> {
  try {
    if (!(await disk.lstat(path)).isFile()) return null;
    const line = (await disk.readText(path)).split("\n", 1)[0] ?? "";
    return line === "" ? null : line;
  } catch {
    return null;
  }
}

/** A command that fails is gone on after, as the shell goes on. */
const tried = (work: Promise<void>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );

const exists = (disk: Disk, path: string): Promise<boolean> => tried(disk.lstat(path).then(() => undefined));
const unlinkIfThere = (disk: Disk, path: string): Promise<boolean> => tried(disk.unlink(path));
const sync = (disk: Disk, path: string): Promise<boolean> => tried(fsyncDir(disk, path));
const namesIn = (disk: Disk, path: string): Promise<string[]> => disk.readdir(path).catch(() => []);
