import type { LeaseView } from "../../protocol/lease.ts";
import { facts } from "./table.ts";
import { instant, span } from "./time.ts";

/** Who holds it, since when, in a line. */
export function leaseLine({ holder, broken }: LeaseView, now: number): string {
  const brokenToo = broken.length === 0 ? "" : ` (${broken.length} broken, still counted as down)`;
  if (holder === null) return `free${brokenToo}`;
  const who = holder.nodeName ?? holder.nodeId;
  return `${who}, ${holder.phase} for ${span(now - holder.since)}${holder.overdue ? ", overdue" : ""}${brokenToo}`;
}

export const leaseFacts = (lease: LeaseView, now: number): string =>
  facts([
    ["group", lease.group],
    ["lease", leaseLine(lease, now)],
    ...(lease.holder === null
      ? []
      : ([
          ["token", String(lease.holder.token)],
          ["job", lease.holder.jobId],
        ] as const)),
    ["voters", `${lease.voters}, ${lease.serving} serving, quorum ${lease.quorum} + ${lease.spare} spare`],
    ...lease.broken.map(
      ({ token, nodeId, at, reason }) =>
        ["broken", `${token} of ${nodeId}, ${instant(at)}: ${reason}`] as const,
    ),
  ]);
