/**
 * How often an address may come with a wrong credential: a bucket of tokens for each, which fills up again with time.
 * Secrets of 256 bits cannot be guessed however often one tries; this keeps the trying cheap for everybody else, and
 * noticed. A right credential is never counted, so nobody is locked out by who shares the address.
 *
 * Invariant: what is remembered is bounded, whoever asks from wherever.
 */
import { err, ok, type Result } from "../../protocol/result.ts";
import type { UptimeMs } from "../../protocol/time.ts";
import type { Refusal } from "../service/coordinator.ts";

export type Strikes = {
  /** Counts a wrong credential. Error: `too-many-requests`, once the address has had too many. */
  strike(from: string): Result<void, Refusal>;
};

export type StrikeLimits = {
  /** Wrong credentials in a row, and how long it takes until that many are forgiven. */
  readonly most: number;
  readonly withinMs: number;
  /** Addresses that are remembered. */
  readonly addresses: number;
};

const LIMITS: StrikeLimits = { most: 10, withinMs: 60_000, addresses: 10_000 };

type Bucket = { readonly left: number; readonly at: UptimeMs };

/** `uptime`: a clock that nobody can set. */
export function createStrikes(
  uptime: () => UptimeMs = () => performance.now(),
  limits: StrikeLimits = LIMITS,
): Strikes {
  const { most, withinMs, addresses } = limits;
  const eachMs = withinMs / most;
  const buckets = new Map<string, Bucket>();
  return {
    strike(from) {
      const now = uptime();
      const bucket = buckets.get(from) ?? { left: most, at: now };
      const left = Math.min(most, bucket.left + (now - bucket.at) / eachMs);
      // The one that is written last is the last to be forgotten.
      buckets.delete(from);
      buckets.set(from, { left: Math.max(0, left - (left >= 1 ? 1 : 0)), at: now });
      for (const oldest of buckets.keys()) {
        if (buckets.size <= addresses) break;
        buckets.delete(oldest);
      }
      if (left >= 1) return ok(undefined);
      const message = `Too many wrong credentials came from ${from}.`;
      const hint = "Find out who asks with a dead one. Right credentials are let in all the while.";
      return err({ code: "too-many-requests", message, hint, retryAfterMs: Math.ceil((1 - left) * eachMs) });
    },
  };
}
