/**
 * The log of what changed: one line for every entry of the audit log, and one, when debugging, for every step of a
 * job. Written where the store is written, so that no change is without its line, and each carries the ids by which
 * one looks for it: `jobId`, `rolloutId`, `nodeId`, `token`, and the request's.
 */
import type { AuditDraft, Change } from "../store/records.ts";
import type { StoreWatch } from "../store/watched.ts";
import type { Log } from "./parts.ts";

export const logChanges = (log: Log): StoreWatch => ({
  applied: (changes, { ok }) => {
    if (!ok) return;
    for (const change of changes) logChange(log, change);
  },
  failed: (error) => log.error({ err: error }, "the store failed, and nothing was written"),
});

function logChange(log: Log, change: Change): void {
  if (change.kind === "audit") {
    const { actor, action, subject, from } = change.value;
    const group = action.startsWith("lease.") || action.startsWith("group.") ? { group: subject } : {};
    log.info({ ...idsOf(change.value), ...group, actor, subject, ...(from === "" ? {} : { from }) }, action);
  }
  if (change.kind === "job") {
    const { id: jobId, rolloutId, nodeId, kind, status, step, percent } = change.value;
    log.debug({ jobId, rolloutId, nodeId, kind, status, step, percent }, "job changed");
  }
}

/** What the entry is about, and what else it names. */
function idsOf({ subject, before, after }: AuditDraft): Record<string, string | number> {
  const ids: Record<string, string | number> = {};
  const [letter] = /^([jrn])-/.exec(subject)?.slice(1) ?? [];
  if (letter !== undefined) ids[BY_LETTER[letter as keyof typeof BY_LETTER]] = subject;
  for (const said of [before, after]) {
    if (typeof said !== "object" || said === null) continue;
    for (const [name, id] of Object.entries(SAID_AS)) {
      const value = (said as Readonly<Record<string, unknown>>)[name];
      if (typeof value === (id === "token" ? "number" : "string")) ids[id] ??= value as string | number;
    }
  }
  return ids;
}

/** The first letter of an id says of what it is. */
const BY_LETTER = { j: "jobId", r: "rolloutId", n: "nodeId" } as const;

/** Under which names the entries give ids. */
const SAID_AS = {
  job: "jobId",
  jobId: "jobId",
  rollout: "rolloutId",
  rolloutId: "rolloutId",
  node: "nodeId",
  nodeId: "nodeId",
  token: "token",
} as const;
