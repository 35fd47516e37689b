import { type Static, Type } from "./schema.ts";

/**
 * A lease's fencing token: strictly increasing in a group, never reused. The upper 21 bits are the epoch, which
 * jumps after a restore from backup or a failover that may have lost writes; the lower 32 count within it.
 */
export const LeaseToken = Type.Integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: "Fencing token",
});
export type LeaseToken = Static<typeof LeaseToken>;

const EPOCH = 2 ** 32;

export const tokenEpoch = (token: LeaseToken): number => Math.floor(token / EPOCH);

/** The token after `last` (0 when there was none) in `epoch`; always greater than `last`. */
export const nextToken = (last: number, epoch: number): LeaseToken => Math.max(last, epoch * EPOCH) + 1;
