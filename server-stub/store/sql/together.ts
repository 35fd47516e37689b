import { CompiledQuery } from "kysely";
import type { Applied, Change } from "../records.ts";
import type { Runner } from "./prepared.ts";
import { StoreAway, type Transact } from "./transact.ts";
import { Conflict } from "./writes.ts";

/** Writes one batch; throws `Conflict` when an expectation does not hold. */
type Write = (runner: Runner, changes: readonly Change[]) => Promise<Applied>;

type Waiting = {
  readonly changes: readonly Change[];
  readonly resolve: (applied: Applied) => void;
  readonly reject: (cause: unknown) => void;
};

/** Most batches in one transaction: a read waits until it is over. */
const MAX_TOGETHER = 64;

/**
 * `Store.apply` for many at once. What takes the time is waiting until the disk has it, so batches that are asked
 * for in the same turn of the event loop share a transaction, each behind a savepoint of its own: one that conflicts
 * is undone alone, in the order in which they came. Nobody is answered before all of it is durable. When the
 * transaction itself fails, each batch is tried once more alone, so that nobody fails for another's sake; but when
 * the database is away, all of them fail. `written` is called when something may have become durable.
 */
export function applyTogether(transact: Transact, write: Write, written: () => void) {
  const waiting: Waiting[] = [];
  let running: Promise<void> | null = null;

  const run = async (): Promise<void> => {
    // The requests that are being read from their sockets right now come first.
    await new Promise(setImmediate);
    while (waiting.length > 0) {
      await applyAll(transact, write, waiting.splice(0, MAX_TOGETHER));
      written();
    }
    running = null;
  };
  return {
    apply: (changes: readonly Change[]): Promise<Applied> =>
      new Promise((resolve, reject) => {
        waiting.push({ changes, resolve, reject });
        running ??= run();
      }),
    /** When everything that was asked for has been answered. */
    idle: async (): Promise<void> => {
      await running;
    },
  };
}

async function applyAll(transact: Transact, write: Write, batches: readonly Waiting[]): Promise<void> {
  const [first] = batches;
  if (first === undefined || batches.length === 1)
    return first === undefined ? undefined : applyOne(transact, write, first);
  let applied: Applied[];
  try {
    applied = await transact(async (runner) => {
      const results: Applied[] = [];
      for (const { changes } of batches) results.push(await behindSavepoint(runner, write, changes));
      return results;
    });
  } catch (cause) {
    if (cause instanceof StoreAway) {
      for (const { reject } of batches) reject(cause);
      return;
    }
    // Whose fault it was shows when each is alone.
    for (const each of batches) await applyOne(transact, write, each);
    return;
  }
  for (const [at, each] of applied.entries()) batches[at]?.resolve(each);
}

async function applyOne(
  transact: Transact,
  write: Write,
  { changes, resolve, reject }: Waiting,
): Promise<void> {
  try {
    resolve(await transact((runner) => write(runner, changes)));
  } catch (cause) {
    if (cause instanceof Conflict) resolve({ ok: false, conflict: cause.kind });
    else reject(cause);
  }
}

async function behindSavepoint(runner: Runner, write: Write, changes: readonly Change[]): Promise<Applied> {
  await runner.executeQuery(SAVEPOINT);
  try {
    const applied = await write(runner, changes);
    await runner.executeQuery(RELEASE);
    return applied;
  } catch (cause) {
    if (!(cause instanceof Conflict)) throw cause;
    await runner.executeQuery(ROLL_BACK);
    await runner.executeQuery(RELEASE);
    return { ok: false, conflict: cause.kind };
  }
}

const SAVEPOINT = CompiledQuery.raw("savepoint batch");
const RELEASE = CompiledQuery.raw("release savepoint batch");
const ROLL_BACK = CompiledQuery.raw("rollback to savepoint batch");
