import { ALERT_KINDS } from "../../protocol/alert.ts";
import { UPDATE_STATES } from "../../protocol/frames.ts";
import type { Census } from "../service/counted.ts";
import type { MetricName } from "./catalogue.ts";

/** One value of a metric. */
export type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number };
/** The gauges as they are now; what a metric had before and is not here is gone. */
export type Samples = Readonly<Partial<Record<MetricName, readonly Sample[]>>>;

/** Versions that are told apart. */
const MAX_VERSIONS = 20;
const OTHER = "other";
const UNKNOWN = "unknown";

const MEMBERSHIPS = ["pending", "approved", "revoked"] as const;
const PRESENCES = ["online", "offline", "unknown"] as const;
const PHASES = ["reserved", "in-flight", "broken"] as const;
const STATUSES = ["pending", "running", "paused", "halted", "completed", "cancelled", "failed"] as const;

/** The gauges that a census means. Pure; what is not there is 0, so that nobody has to ask whether it is missing. */
export function samplesOf(census: Census): Samples {
  const approved = census.nodes.filter(({ membership }) => membership === "approved");
  const presences = count(census.nodes.map(({ membership, presence }) => `${membership} ${presence}`));
  const states = count(approved.map(({ state }) => state ?? UNKNOWN));
  const phases = count(census.leases.map(({ phase }) => phase));
  const statuses = count(census.rollouts);
  const alerts = new Map(census.openAlerts.map((open) => [open.kind, open.count]));
  return {
    baton_nodes: MEMBERSHIPS.flatMap((membership) =>
      PRESENCES.map((presence) => ({
        labels: { membership, presence },
        value: presences.get(`${membership} ${presence}`) ?? 0,
      })),
    ),
    baton_nodes_behind: one(approved.filter(({ behind }) => behind).length),
    baton_nodes_held: one(approved.filter(({ hold }) => hold).length),
    baton_nodes_quarantining: one(approved.filter(({ quarantines }) => quarantines).length),
    baton_nodes_state: [...UPDATE_STATES, UNKNOWN].map((state) => labelled({ state }, states.get(state))),
    baton_nodes_version: versionSamples(count(approved.map(({ version }) => version ?? UNKNOWN))),
    baton_sessions: Object.entries(census.sessions).map(([transport, value]) =>
      labelled({ transport }, value),
    ),
    baton_leases: PHASES.map((phase) => labelled({ phase }, phases.get(phase))),
    baton_lease_oldest_seconds: PHASES.map((phase) => {
      const ages = census.leases.filter((lease) => lease.phase === phase).map(({ ageMs }) => ageMs);
      return labelled({ phase }, ages.reduce((oldest, age) => Math.max(oldest, age), 0) / 1000);
    }),
    baton_rollouts: STATUSES.map((status) => labelled({ status }, statuses.get(status))),
    baton_alerts_open: ALERT_KINDS.map((kind) => labelled({ kind }, alerts.get(kind))),
    baton_metadata_expiry_timestamp_seconds: census.expiries.map(({ role, expires }) =>
      labelled({ role }, Date.parse(expires) / 1000),
    ),
    baton_backup_timestamp_seconds: one((census.backedUpAt ?? 0) / 1000),
  };
}

/** The most common first; of equally common ones the one that comes first by its name, so that none flickers. */
function versionSamples(versions: ReadonlyMap<string, number>): Sample[] {
  const sorted = [...versions].sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1));
  const rest = sorted.slice(MAX_VERSIONS).reduce((sum, [, value]) => sum + value, 0);
  return [
    ...sorted.slice(0, MAX_VERSIONS).map(([version, value]) => labelled({ version }, value)),
    labelled({ version: OTHER }, rest),
  ];
}

const one = (value: number): Sample[] => [{ labels: {}, value }];
const labelled = (labels: Record<string, string>, value = 0): Sample => ({ labels, value });

function count(items: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}
