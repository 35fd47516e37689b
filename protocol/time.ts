/** Wall-clock instant of *this* machine, milliseconds since 1970. Wall clocks of two machines are never compared. */
export type EpochMs = number & { readonly __unit?: "epoch-ms" };

/** A length of time in milliseconds. */
export type DurationMs = number & { readonly __unit?: "duration-ms" };

/**
 * Milliseconds on a clock that only rises and runs through suspend (`/proc/uptime`). Meaningful within one boot
 * of one machine only.
 */
export type UptimeMs = number & { readonly __unit?: "uptime-ms" };

/** Where the time comes from; handed in, so that tests can turn the hands. */
export type Clock = {
  /** Wall clock; for people and logs. */
  now(): EpochMs;
  /** Monotonic through suspend; for every measured duration and deadline. */
  uptime(): UptimeMs;
};
