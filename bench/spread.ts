/** What a handful of measurements say: the one in the middle, and how far the others lie around it. */
export type Spread = {
  readonly median: number;
  /** A quarter of the measurements is below `low`, a quarter above `high`. */
  readonly low: number;
  readonly high: number;
  readonly count: number;
};

/** Throws for no measurements: a row without any has nothing to say. */
export function spreadOf(values: readonly number[]): Spread {
  return {
    median: quantile(values, 0.5),
    low: quantile(values, 0.25),
    high: quantile(values, 0.75),
    count: values.length,
  };
}

/** What has exactly this value, measured once or computed. */
export const exactly = (value: number): Spread => ({ median: value, low: value, high: value, count: 1 });

/** Between the two nearest measurements in proportion; `share` from 0 to 1. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)];
  const above = sorted[Math.ceil(at)];
  if (below === undefined || above === undefined) throw new Error("nothing was measured");
  return below + (above - below) * (at - Math.floor(at));
}
