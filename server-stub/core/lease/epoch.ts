import type { EpochMs } from "../../../protocol/time.ts";

/**
 * The same backup may be restored twice, and knows nothing of the first time: so an epoch is at least the number of
 * ten minutes since 2026. Epochs have 21 bits, which lasts until 2065.
 */
export const restoreEpoch = (now: EpochMs): number =>
  Math.max(0, Math.floor((now - Date.UTC(2026, 0)) / 600_000));
