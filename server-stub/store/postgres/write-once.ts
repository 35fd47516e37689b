import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { DurationMs } from "../../../protocol/time.ts";
import { StoreAway } from "../sql/transact.ts";
import { ConnectionLost, FailedOver, isWorthAnother } from "./faults.ts";

/** A database at the other end of a network. What it throws is told apart by `faults.ts`. */
export type Asking<A> = {
  /** All of it in one transaction, with a receipt under that id. `asked`: all that is left is to make it durable. */
  write(id: string, asked: (answer: A) => void): Promise<A>;
  /** Whether there is such a receipt. Waits for whoever writes, also for a connection that is lost. */
  wasWritten(id: string): Promise<boolean>;
};

export type Patience = {
  /** How long it is tried, from its beginning, before somebody is told. */
  readonly tryMs?: DurationMs;
  readonly wait?: (ms: DurationMs) => Promise<unknown>;
  /** Any clock that only rises. */
  readonly uptime?: () => DurationMs;
};

const TRY_MS: DurationMs = 10_000;
const PAUSE_MS: DurationMs = 20;

/**
 * Writes, and answers what was written, however often a connection is lost meanwhile. When the reply to a commit is lost,
 * the receipt says what became of it: found, it was written; not found, it was not and never will be, since the
 * question waits for the lock that the lost transaction would still hold. Only then is it written again.
 * Throws `StoreAway` when that takes too long.
 */
export async function writeOnce<A>(
  asking: Asking<A>,
  { tryMs = TRY_MS, wait = sleep, uptime = () => performance.now() }: Patience = {},
): Promise<A> {
  const until = uptime() + tryMs;
  let tried = await tryOnce(asking, null);
  while (!tried.done) {
    const { cause, doubt } = tried;
    const isOver = cause instanceof FailedOver;
    if (doubt === null && !isOver && !isWorthAnother(cause)) throw cause;
    if (isOver || uptime() >= until) throw new StoreAway(doubt === null ? "not-written" : "unknown", cause);
    await wait(PAUSE_MS);
    tried = await tryOnce(asking, doubt);
  }
  return tried.answer;
}

/** What a transaction would answer, when all that was left was to make it durable. */
type Doubt<A> = { readonly id: string; readonly answer: A };

type Tried<A> =
  | { readonly done: true; readonly answer: A }
  | { readonly done: false; readonly cause: unknown; readonly doubt: Doubt<A> | null };

async function tryOnce<A>(asking: Asking<A>, before: Doubt<A> | null): Promise<Tried<A>> {
  let doubt = before;
  try {
    if (doubt !== null && (await asking.wasWritten(doubt.id))) return { done: true, answer: doubt.answer };
    doubt = null;
    const id = randomUUID();
    const answer = await asking.write(id, (asked) => {
      doubt = { id, answer: asked };
    });
    return { done: true, answer };
  } catch (cause) {
    // A server that refuses a commit has undone it.
    return {
      done: false,
      cause,
      doubt: cause instanceof ConnectionLost || doubt === before ? doubt : null,
    };
  }
}
