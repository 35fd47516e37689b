/**
 * Every default that agent and coordinator share, in one object. All can be configured, none is hard-wired.
 * Durations in milliseconds. Source: docs/CONFIGURATION.md.
 */
export const DEFAULTS = {
  heartbeatMs: 5_000,
  /** Heartbeats missed before a node is offline. */
  offlineAfterMissed: 3,
  /** Heartbeats after hello before a build may be confirmed. */
  confirmAfterHeartbeats: 3,
  /** node-cron expression of the agent's poll; a random wait of at most `pollJitterMs` comes on top. */
  pollSchedule: "*/5 * * * *",
  pollJitterMs: 30_000,
  healthEveryMs: 2_000,
  healthTimeoutMs: 5_000,
  /** How long a new build may take to become healthy. */
  healthWithinMs: 60_000,
  probationTries: 3,
  probationRefunds: 10,
  probationMs: 90_000,
  reservationMs: 60_000,
  /** Room for the flip on top of what draining needs. */
  actWithinMs: 10_000,
  hookTimeoutMs: 60_000,
  drainMs: 20_000,
  selfTestTimeoutMs: 30_000,
  downloadTimeoutMs: 1_800_000,
  /** How long an old build that is back tries to reach the coordinator before a failure to connect counts as inconclusive. */
  inconclusiveAfterMs: 30_000,
  /** How long a job that waits for nothing may be without any progress. */
  jobTimeoutMs: 1_800_000,
  reconnectMinMs: 500,
  /** Less than three heartbeats, after which a coordinator that restarted calls a node lost that only waits to try again. */
  reconnectMaxMs: 10_000,
  /** How a rollout goes forward unless it is told otherwise; see `RolloutPolicy`. */
  rollout: {
    stages: [0.1, 0.5, 1] as number[],
    concurrency: 5,
    threshold: null,
    pauseMs: 10_000,
    offline: "halt",
    onFailure: "halt",
  },
} as const;
