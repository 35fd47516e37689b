/** What is said of alerts: pure. */
import type { Alert, AlertKind } from "../../../../protocol/alert.ts";
import type { Tone } from "../../parts/mark.tsx";

export const KIND_NAMES: Readonly<Record<AlertKind, string>> = {
  update_failed: "Update failed",
  fleet_update_halted: "Rollout halted",
  lease_overdue: "Lease overdue",
  node_offline: "Node offline",
  build_crashing: "Build crashes",
  metadata_expiring: "Metadata expires",
  certificate_expiring: "Certificate expires",
  coordinator_disk_low: "Disk is low",
  webhook_failing: "Webhook fails",
  rollout_not_started: "Rollout not started",
};

/** Where an alert stands, in a word. */
export function standingOf({ resolvedAt, acknowledgedAt }: Alert): {
  readonly tone: Tone;
  readonly word: string;
} {
  if (resolvedAt !== null) return { tone: "good", word: "resolved" };
  return acknowledgedAt === null ? { tone: "bad", word: "open" } : { tone: "warn", word: "taken on" };
}

/** Why it cannot be taken on now; null when it can. */
export function whyNoAcknowledge({ resolvedAt, acknowledgedBy }: Alert): string | null {
  if (resolvedAt !== null) return "It is resolved";
  return acknowledgedBy === null ? null : `${acknowledgedBy} has taken it on`;
}

/** The page of what it is about; null when that has none. */
export function pageOf({ kind, subject }: Alert): string | null {
  if (/^n-[0-9a-z]{12}$/.test(subject)) return `/nodes/${subject}`;
  if (/^r-[0-9a-z]{12}$/.test(subject)) return `/rollouts/${subject}`;
  return kind === "lease_overdue" ? `/groups/${encodeURIComponent(subject)}` : null;
}

/** The API's query for what the address says; what it says wrongly is as if it were not said. */
export function alertsQuery(query: URLSearchParams): string {
  const kind = query.get("kind") ?? "";
  return new URLSearchParams({
    state: query.get("state") === "all" ? "all" : "open",
    ...(Object.hasOwn(KIND_NAMES, kind) ? { kind } : {}),
  }).toString();
}
