import type { DurationMs } from "../../protocol/time.ts";

/** Between which waits a reconnect is tried again. */
export type Reconnect = { readonly minMs: DurationMs; readonly maxMs: DurationMs };

/**
 * How long to wait before attempt number `attempt` (1 is the first retry): anything from nothing to twice as much
 * as the time before, so that a fleet that lost its coordinator at one instant does not come back at one instant.
 * Source: Brooker, "Exponential Backoff And Jitter" ("full jitter").
 */
export function backoffMs(attempt: number, reconnect: Reconnect, random: () => number): DurationMs {
  const doublings = Math.min(Math.max(attempt, 1) - 1, 30);
  return Math.round(random() * Math.min(reconnect.maxMs, reconnect.minMs * 2 ** doublings));
}
