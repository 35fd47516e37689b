/** For how long something is to be good, as people choose it. */
export const LIFETIMES: readonly (readonly [ms: string, name: string])[] = [
  ["3600000", "an hour"],
  ["86400000", "a day"],
  ["604800000", "a week"],
  ["7776000000", "90 days"],
  ["31536000000", "a year"],
];

/** What a request says of it: nothing is for ever. */
export const ttlOf = (ms: string | null): { readonly ttlMs?: number } =>
  ms === null ? {} : { ttlMs: Number(ms) };
