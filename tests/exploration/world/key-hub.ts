/** The part of a world's text that is what the coordinator knows of one node (`key.ts`). */
import { isActive, type JobRecord } from "../../../server-stub/core/job/job.ts";
import type { Broken, Holder, LeaseRecord } from "../../../server-stub/core/lease/record.ts";
import type { Presence } from "../../../server-stub/core/presence/presence.ts";
import { quarantineText } from "./key-disk.ts";
import type { Naming } from "./naming.ts";
import { age, left } from "./time.ts";
import { idOf, type Known, type NodeIndex, type World } from "./world.ts";

/** Nobody asks for how long more than this somebody has been in flight. */
const OVER_MS = 300_000;

export function hubText({ hub, now }: World, at: NodeIndex, names: Naming): string {
  const stored = storedText(hub.lease, hub.jobs[at] ?? null, hub.known[at] ?? null, at, names, now);
  const presence = presenceText(hub.presence[at], names, now);
  const { backup } = hub;
  if (backup === null) return `${stored}${presence}`;
  const then = storedText(backup.lease, backup.jobs[at] ?? null, backup.known[at] ?? null, at, names, null);
  return `${stored}${presence}B${then}`;
}

/** `now` null: of a backup, whose times are counted anew when it is restored. */
function storedText(
  lease: LeaseRecord,
  job: JobRecord | null,
  known: Known | null,
  at: NodeIndex,
  names: Naming,
  now: number | null,
): string {
  const id = idOf(at);
  let text = "";
  for (const holder of lease.holders) if (holder.nodeId === id) text += holderText(holder, names, now);
  for (const broken of lease.broken) if (broken.nodeId === id) text += brokenText(broken, names);
  return `${text}${jobText(job, names)}${knownText(known, names)}`;
}

function holderText(holder: Holder, names: Naming, now: number | null): string {
  const { token, from, to } = holder;
  const ends = `${from === null ? "0" : names.hash(from.buildHash)}${to === null ? "0" : names.hash(to.buildHash)}`;
  const common = `${names.token(token)}${names.process(holder.instanceId)}${ends}${holder.jobId === null ? "" : "j"}`;
  if (holder.phase === "reserved") {
    // A restore drops it, whatever its time is.
    return now === null
      ? `R${common}`
      : `R${common}${holder.attempted ? "a" : ""}${left(holder.expiresAtMs, now)}`;
  }
  const since = now === null ? "" : age(holder.countedFromMs, now, OVER_MS);
  return `F${common}${since},${holder.actWithinMs}`;
}

const brokenText = ({ token, instanceId, jobId, to }: Broken, names: Naming): string =>
  `X${names.token(token)}${names.process(instanceId)}${jobId === null ? "" : "j"}${to === null ? "" : names.hash(to.buildHash)}`;

function jobText(job: JobRecord | null, names: Naming): string {
  if (job === null) return "";
  const { confirming } = job;
  const keeps =
    confirming === null ? "" : `k${names.token(confirming.token)}${names.process(confirming.instanceId)}`;
  return `J${isActive(job) ? "a" : job.status.charAt(0)}${keeps}`;
}

function knownText(known: Known | null, names: Naming): string {
  if (known === null) return "";
  const { holdings, reportsRole } = known;
  const { backup, hold, quarantine } = holdings;
  const had = backup === null ? "0" : names.hash(backup.buildHash);
  return `K${had}${hold ? "h" : ""}${quarantineText(quarantine, names)}${reportsRole ? "r" : ""}`;
}

/** Ages: all limits lie between no time and a short one, so that a presence is fresh, or neither serves nor is online. */
function presenceText(presence: Presence | undefined, names: Naming, now: number): string {
  if (presence === undefined) return "P-";
  const { session, hello, seq, healthyBeats, heardAtMs, heartbeatAtMs, heardBeforeMs, heartbeat } = presence;
  const isFresh = (at: number | null): string => (at === null ? "n" : now - at <= 10_000 ? "f" : "o");
  const ages = `${isFresh(heardAtMs)}${isFresh(heartbeatAtMs)}${isFresh(heardBeforeMs)}`;
  const base = `P${names.session(session)}${names.process(hello.instanceId)}${names.hash(hello.build.buildHash)}${seq > 0 ? "e" : ""}${healthyBeats > 0 ? "h" : ""}${ages}`;
  if (heartbeat === null) return base;
  const { journal, finalWords, health } = heartbeat;
  const token = "token" in journal ? names.token(journal.token) : "";
  const words = finalWords.map((word) => `${word.word.charAt(0)}${names.token(word.token)}`).join("");
  return `${base}${journal.kind.slice(0, 2)}${token}${words}${health.role ?? ""}`;
}
