/** A history that failed once, made small: kept as data, since what a seed makes of itself changes with the simulator. */
import type { History } from "./history.ts";

export type Regression = {
  /** What was wrong, and how it showed. */
  readonly why: string;
  readonly history: History;
};
