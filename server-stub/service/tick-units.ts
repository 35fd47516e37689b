/** What the engine works on, one thing after the other; each is on its own when it fails. */
export const TICK_UNITS = [
  "presence",
  "last-seen",
  "lease",
  "rollout",
  "alert",
  "gates",
  "start",
  "job",
  "requests",
  "catch-up",
  "trust",
  "retention",
] as const;
export type TickUnit = (typeof TICK_UNITS)[number];
