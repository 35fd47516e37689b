/** Whether the coordinator can do its work, and what keeps it from that: in sentences, for who looks at `/readyz`. */
import type { DurationMs, EpochMs } from "../../protocol/time.ts";
import type { ClockWatch } from "./clock-watch.ts";
import type { Context } from "./context.ts";
import type { Readiness } from "./coordinator.ts";

export type ReadinessFacts = {
  readonly storeAnswers: boolean;
  /** Why the last write failed; null when it did not. */
  readonly writeFault: string | null;
  /** Of the state directory's disk; null where nobody looks. */
  readonly freeBytes: number | null;
  readonly expired: readonly { readonly role: string; readonly expires: string }[];
  readonly clockJumpedMs: DurationMs | null;
  readonly sinceTickMs: DurationMs;
  /** How long until presence is known after the start; 0 or less when it is. */
  readonly unknownForMs: DurationMs;
};

/** Less, and SQLite may soon fail in the middle of something. */
export const MIN_FREE_BYTES = 64 * 1024 * 1024;
const MAX_TICK_AGE_MS: DurationMs = 30_000;
/** Between two tries to write after one has failed. */
const TRY_WRITE_EVERY_MS: DurationMs = 10_000;

/** What the facts mean. Pure. */
export function judgeReadiness(facts: ReadinessFacts): Readiness {
  const reasons: string[] = [];
  const notes: string[] = [];
  if (!facts.storeAnswers) reasons.push("The store does not answer.");
  if (facts.writeFault !== null) reasons.push(`The store cannot be written to: ${facts.writeFault}.`);
  if (facts.freeBytes !== null && facts.freeBytes < MIN_FREE_BYTES)
    reasons.push(`The disk of the state directory has ${mib(facts.freeBytes)} MiB left.`);
  for (const { role, expires } of facts.expired) reasons.push(`The ${role} metadata expired on ${expires}.`);
  if (facts.clockJumpedMs !== null) {
    const way = facts.clockJumpedMs > 0 ? "ahead" : "back";
    reasons.push(
      `The wall clock was set ${way} by ${seconds(Math.abs(facts.clockJumpedMs))} s in the last ten minutes.`,
    );
  }
  if (facts.sinceTickMs > MAX_TICK_AGE_MS)
    reasons.push(`The engine has not come round for ${seconds(facts.sinceTickMs)} s.`);
  if (facts.unknownForMs > 0)
    notes.push(`Nobody's presence is known for another ${seconds(facts.unknownForMs)} s after the start.`);
  return { reasons, notes };
}

/** Gathers the facts. `lastTickAt` is on the steady clock. */
export function createReadiness(
  ctx: Context,
  clock: ClockWatch,
  lastTickAt: () => EpochMs,
): () => Promise<Readiness> {
  let triedAt = ctx.now();
  return async () => {
    const { startedAtMs, heartbeatMs, offlineAfterMissed } = ctx.timing;
    const storeAnswers = await answers(ctx);
    if (storeAnswers && ctx.storeFault() !== null && ctx.now() - triedAt >= TRY_WRITE_EVERY_MS) {
      triedAt = ctx.now();
      await tryToWrite(ctx);
    }
    return judgeReadiness({
      storeAnswers,
      writeFault: ctx.storeFault(),
      freeBytes: await ctx.freeBytes(),
      expired: ctx.repository.expiring(ctx.wall()).filter(({ leftMs }) => leftMs <= 0),
      clockJumpedMs: clock.look(),
      sinceTickMs: ctx.now() - lastTickAt(),
      unknownForMs: startedAtMs + heartbeatMs * offlineAfterMissed - ctx.now(),
    });
  };
}

async function answers(ctx: Context): Promise<boolean> {
  try {
    await ctx.store.meta();
    return true;
  } catch (error) {
    ctx.log.error({ err: error }, "the store does not answer");
    return false;
  }
}

/** Writes what is there: whether that works is noticed where all writes are looked on. */
async function tryToWrite(ctx: Context): Promise<void> {
  try {
    const { value, revision } = await ctx.store.meta();
    await ctx.store.apply([{ kind: "meta", value, expected: revision }]);
  } catch (error) {
    ctx.log.error({ err: error }, "the store cannot be written to yet");
  }
}

const mib = (bytes: number): number => Math.floor(bytes / 1024 / 1024);
const seconds = (ms: DurationMs): number => Math.ceil(ms / 1000);
