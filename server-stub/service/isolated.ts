import type { EpochMs } from "../../protocol/time.ts";
import type { Context } from "./context.ts";
import type { TickUnit } from "./tick-units.ts";

/** The same failure is logged again after so long; it is counted every time. */
const LOG_AGAIN_MS = 60_000;

/**
 * Does one piece of the engine's work so that an unforeseen error in it stops nothing else: it is logged with the
 * ids of what it was about, counted, and tried again with the next tick. Never rejects.
 */
export async function isolated(
  ctx: Context,
  unit: TickUnit,
  ids: Readonly<Record<string, string>>,
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    ctx.unitFailed(unit);
    if (isNews(ctx, `${unit} ${Object.values(ids).join(" ")}`))
      ctx.log.error({ err: error, unit, ...ids }, "unforeseen error in the engine; the rest of it goes on");
  }
}

/** When each failure was logged last, by what it was about. Those that are not repeated are forgotten. */
const lastLogged = new WeakMap<Context, Map<string, EpochMs>>();

function isNews(ctx: Context, about: string): boolean {
  const logged = lastLogged.get(ctx) ?? new Map<string, EpochMs>();
  lastLogged.set(ctx, logged);
  const now = ctx.now();
  for (const [each, at] of logged) if (now - at >= LOG_AGAIN_MS) logged.delete(each);
  if (logged.has(about)) return false;
  logged.set(about, now);
  return true;
}
