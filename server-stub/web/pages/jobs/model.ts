/** What is said of jobs: pure. */
import type { Job } from "../../../../protocol/job.ts";
import type { Node } from "../../../../protocol/node.ts";
import type { Tone } from "../../parts/mark.tsx";

export const STATUSES = ["queued", "running", "succeeded", "failed", "cancelled"] as const;
export const KINDS = ["update", "rollback", "diagnose"] as const;

export const JOB_TONE: Readonly<Record<Job["status"], Tone>> = {
  queued: "idle",
  running: "busy",
  succeeded: "good",
  failed: "bad",
  cancelled: "idle",
};

export const isAtWork = ({ status }: Job): boolean => status === "queued" || status === "running";

/** "running · fetch 43 %" */
export const standing = (job: Job): string =>
  job.status === "running" ? `running · ${job.step ?? "starting"} ${job.percent} %` : job.status;

/** "1.0.0 → 1.1.0"; only what is known of it. */
export function wayOf({ from, to, release }: Job): string {
  const target = to?.version ?? release;
  if (from === null) return target ?? "";
  return target === null ? `from ${from.version}` : `${from.version} → ${target}`;
}

/** Past the commit only the node itself can end it. */
const IN_FLIGHT: ReadonlySet<Job["step"]> = new Set([
  "drain",
  "swap",
  "restart",
  "health",
  "stabilize",
  "confirm",
  "rollback",
  "complete",
] as const);

/** Why it cannot be cancelled now; null when it can, as far as is known here. */
export function whyNoCancel(job: Job): string | null {
  if (!isAtWork(job)) return `It has ${job.status} already`;
  if (job.kind !== "diagnose" && IN_FLIGHT.has(job.step))
    return "It is in flight: it finishes, or goes back by itself";
  return null;
}

/** Why it cannot be begun anew now; null when it can. `node`: where it was, while that is a member. */
export function whyNoRetry(job: Job, node: Node | undefined): string | null {
  if (job.status !== "failed" && job.status !== "cancelled")
    return isAtWork(job) ? "It is still at work" : "It has succeeded";
  if (node === undefined) return "Its node has been removed";
  if (node.membership !== "approved") return `${node.name} is not approved`;
  if (node.presence !== "online")
    return `${node.name} is ${node.presence === "offline" ? "offline" : "not heard yet"}`;
  if (node.jobId !== null) return `Another job is under way on ${node.name}`;
  return null;
}

/** The API's query for what the address says; what it says wrongly is as if it were not said. */
export function jobsQuery(query: URLSearchParams): string {
  const wanted = new URLSearchParams();
  const status = STATUSES.find((each) => each === query.get("status"));
  const kind = KINDS.find((each) => each === query.get("kind"));
  const node = /^n-[0-9a-z]{12}$/.exec(query.get("node") ?? "")?.[0];
  const rollout = /^r-[0-9a-z]{12}$/.exec(query.get("rollout") ?? "")?.[0];
  for (const [name, value] of Object.entries({ status, kind, node, rollout }))
    if (value !== undefined) wanted.set(name, value);
  return wanted.toString();
}
