/**
 * Every metric of our own: its name, its kind, what it says and by which labels it is told apart. Labels have few
 * values, all known beforehand or bounded: never a node's name, an id, or what somebody wrote. The page
 * docs/METRICS.md, the rules and the dashboard are checked against this table.
 */
export type MetricKind = "gauge" | "counter" | "histogram";

type Metric = {
  readonly kind: MetricKind;
  readonly help: string;
  readonly labels: readonly string[];
};

const metric = <const L extends readonly string[]>(kind: MetricKind, help: string, labels: L) => ({
  kind,
  help,
  labels,
});

export const METRICS = {
  baton_build_info: metric("gauge", "1; the coordinator's version and the newest protocol it speaks", [
    "version",
    "protocol",
  ]),
  baton_ready: metric("gauge", "1 when GET /readyz says ready, 0 otherwise", []),
  baton_seat: metric("gauge", "1 where this coordinator decides, 0 where another one does", []),
  baton_nodes: metric("gauge", "Nodes by membership and presence", ["membership", "presence"]),
  baton_nodes_behind: metric("gauge", "Approved nodes that run another build than the one desired", []),
  baton_nodes_held: metric("gauge", "Approved nodes that stay on their build until told", []),
  baton_nodes_quarantining: metric("gauge", "Approved nodes that have quarantined a build", []),
  baton_nodes_state: metric("gauge", "Approved nodes by the state of their update machine", ["state"]),
  baton_nodes_version: metric(
    "gauge",
    "Approved nodes by the version that they run: the twenty most common, and other",
    ["version"],
  ),
  baton_sessions: metric("gauge", "Nodes in touch, by how", ["transport"]),
  baton_leases: metric("gauge", "Leases held, and broken ones not settled, by phase", ["phase"]),
  baton_lease_oldest_seconds: metric("gauge", "Age of the oldest lease by phase; 0 without one", ["phase"]),
  baton_rollouts: metric("gauge", "Rollouts that are not over, or have nodes under way, by status", [
    "status",
  ]),
  baton_alerts_open: metric("gauge", "Alerts that are open, by kind", ["kind"]),
  baton_metadata_expiry_timestamp_seconds: metric("gauge", "When the signature of each role ends", ["role"]),
  baton_backup_timestamp_seconds: metric("gauge", "When a backup was made last; 0 before the first", []),

  baton_database_standbys: metric(
    "gauge",
    "Standbys of the PostgreSQL server, by whether writes wait for them; none where the database is a file",
    ["sync"],
  ),

  baton_heartbeats_total: metric("counter", "Frames of agents' sessions, by whether they counted", [
    "result",
  ]),
  baton_lease_denials_total: metric("counter", "Lease requests that were denied, by code", ["code"]),
  baton_jobs_ended_total: metric("counter", "Jobs that ended, by kind and how", ["kind", "result"]),
  baton_rollouts_ended_total: metric("counter", "Rollouts that came to a status in which they rest", [
    "status",
  ]),
  baton_engine_errors_total: metric("counter", "Unforeseen errors in the engine, by what it worked on", [
    "unit",
  ]),
  baton_store_conflicts_total: metric(
    "counter",
    "Writes that somebody else had overtaken, tried again since",
    [],
  ),
  baton_store_failures_total: metric("counter", "Writes that the storage failed", []),

  baton_http_request_duration_seconds: metric("histogram", "Requests by route, method and class of status", [
    "route",
    "method",
    "status",
  ]),
  baton_engine_tick_duration_seconds: metric("histogram", "One round of the engine", []),
  baton_store_apply_duration_seconds: metric(
    "histogram",
    "One batch of writes, from being asked for until it is durable",
    [],
  ),
} as const satisfies Readonly<Record<string, Metric>>;

export type MetricName = keyof typeof METRICS;
/** The labels of a metric. */
export type LabelsOf<N extends MetricName> = (typeof METRICS)[N]["labels"][number];

/** Upper bounds of histograms, seconds. */
export const BUCKETS: Readonly<Record<string, readonly number[]>> = {
  baton_http_request_duration_seconds: [0.01, 0.05, 0.25, 1, 5],
  baton_engine_tick_duration_seconds: [0.005, 0.025, 0.1, 0.5, 2, 10],
  baton_store_apply_duration_seconds: [0.001, 0.005, 0.025, 0.1, 0.5, 2],
};
