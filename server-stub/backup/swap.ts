/**
 * Puts what was restored in the place of what was there, by renames that are written down before the first of them:
 * from then on the restore is finished, however often it is cut off, by whoever opens the state directory next.
 * Before, everything is as it was.
 */
import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseJson } from "../../protocol/parse.ts";
import { nullable, type Static, Type } from "../../protocol/schema.ts";
import { realFiles, syncDirectory } from "../repository/files.ts";

/** `to` goes to `aside` if it is there; then `from`, unless it is null, goes to `to`. */
const Move = Type.Object({ from: nullable(Type.String()), to: Type.String(), aside: Type.String() });
export type Move = Static<typeof Move>;
const Plan = Type.Object({
  format: Type.Literal(1),
  moves: Type.Array(Move),
  remove: Type.Array(Type.String()),
});

const planFile = (stateDir: string): string => join(stateDir, "restore.json");

/** Writes the moves down, which decides, and makes them. `remove`: what is not needed any more after them. */
export async function swapIn(
  stateDir: string,
  moves: readonly Move[],
  remove: readonly string[],
): Promise<void> {
  const plan = { format: 1, moves, remove };
  await realFiles.write(planFile(stateDir), `${JSON.stringify(plan, null, 2)}\n`, 0o600);
  await finishSwap(stateDir);
}

/** Finishes what `swapIn` has begun; false where nothing was begun. May be repeated, also after a crash in it. */
export async function finishSwap(stateDir: string): Promise<boolean> {
  const text = await readFile(planFile(stateDir), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return null;
    throw error;
  });
  if (text === null) return false;
  const plan = parseJson(Plan, text, planFile(stateDir));
  if (!plan.ok) throw new Error(plan.error.message);
  for (const move of plan.value.moves) await make(move);
  for (const path of plan.value.remove) await rm(path, { recursive: true, force: true });
  await rm(planFile(stateDir));
  await syncDirectory(stateDir);
  return true;
}

async function make({ from, to, aside }: Move): Promise<void> {
  // Without its `from`, a move that was made already must not be undone by putting what came aside.
  const isMade = from !== null && !(await isThere(from));
  if (isMade) return;
  if (await isThere(to)) {
    await rename(to, aside);
    await syncDirectory(dirname(aside));
  }
  if (from !== null) {
    await rename(from, to);
    await syncDirectory(dirname(from));
  }
  await syncDirectory(dirname(to));
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return false;
      throw error;
    },
  );

/** Makes a file's bytes last. */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
