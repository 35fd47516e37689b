import type { DurationMs } from "../../protocol/time.ts";
import type { Prunable } from "../store/records.ts";

/** For how long what is over is kept. */
export type Retention = Readonly<Record<Prunable, DurationMs>> & {
  /** Bundles that no release names any more. */
  readonly bundles: DurationMs;
  /** Most events that are kept, however young. */
  readonly maxEvents: number;
};

export const DAY_MS: DurationMs = 86_400_000;

export const DEFAULT_RETENTION: Retention = {
  jobs: 90 * DAY_MS,
  rollouts: 400 * DAY_MS,
  audit: 400 * DAY_MS,
  alerts: 90 * DAY_MS,
  deliveries: 30 * DAY_MS,
  events: 7 * DAY_MS,
  bundles: 30 * DAY_MS,
  maxEvents: 1_000_000,
};
