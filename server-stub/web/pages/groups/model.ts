/** What is said of a group and its lease: pure. */
import type { FleetLockOpened } from "../../../../protocol/fleet-lock.ts";
import type { Group } from "../../../../protocol/group.ts";
import type { Node } from "../../../../protocol/node.ts";
import type { Tone } from "../../parts/mark.tsx";

export type Said = { readonly tone: Tone; readonly word: string };

/** Whether anybody in it may begin to be disrupted now, and why not. */
export function gateOf({ gate, freeze }: Group): Said {
  if (freeze !== null) return { tone: "warn", word: "frozen" };
  return gate === null ? { tone: "good", word: "open" } : { tone: "warn", word: "closed" };
}

/** Who holds its lease. `nameOf`: of nodes that the lease has no name of. */
export function leaseOf({ lease: { holder, broken } }: Group, nameOf: (id: string) => string): Said {
  if (holder !== null) {
    const who = holder.nodeName ?? nameOf(holder.nodeId);
    const phase = holder.phase === "in-flight" ? "in flight" : "reserved";
    return {
      tone: holder.overdue ? "bad" : "busy",
      word: `${who}, ${phase}${holder.overdue ? ", overdue" : ""}`,
    };
  }
  return broken.length > 0
    ? { tone: "warn", word: `free, ${broken.length} broken` }
    : { tone: "idle", word: "free" };
}

/** "3 of 3 voters serve, quorum 2"; of independent nodes each stands for itself. */
export function quorumOf({ mode, lease: { voters, serving, quorum, spare } }: Group): string {
  if (mode === "independent") return "each node stands for itself";
  if (voters === 0) return "nobody has a vote";
  return `${serving} of ${voters} voters serve, quorum ${quorum}${spare > 0 ? ` + ${spare} spare` : ""}`;
}

export function quorumTone({ mode, lease: { voters, serving, quorum, spare } }: Group): Tone {
  if (mode === "independent" || voters === 0) return "idle";
  return serving < quorum ? "bad" : serving <= quorum + spare ? "warn" : "good";
}

/** Why a number of spare voters does not do; null when it does. `""` is the default. */
export function whyNoSpare(text: string): string | null {
  return text.trim() === "" || /^(100|\d{1,2})$/.test(text.trim())
    ? null
    : "It is a number from 0 to 100, or nothing";
}

/** Why a group's name does not do; null when it does. */
export function whyNoGroupName(name: string): string | null {
  if (name === "") return "Give it a name first";
  return /^[a-zA-Z0-9]([a-zA-Z0-9._-]{0,62}[a-zA-Z0-9])?$/.test(name)
    ? null
    : "Letters, digits, dots, dashes and underscores, 64 at most, a letter or digit at both ends";
}

/** The job of a lease; null of one that has none, as that of a FleetLock client. */
export const jobOf = ({ jobId }: { readonly jobId: string }): string | null =>
  /^j-0+$/.test(jobId) ? null : jobId;

/** What a FleetLock client has of its group's lease. */
export function lockOf({ id, membership, serving }: Node, { lease: { holder, broken } }: Group): Said {
  if (membership === "pending") return { tone: "warn", word: "waits for approval" };
  if (membership === "revoked") return { tone: "bad", word: "revoked" };
  if (broken.some(({ nodeId }) => nodeId === id))
    return { tone: "warn", word: "its lock was broken: it counts as down until it says that it is back" };
  if (holder?.nodeId === id && holder.overdue) return { tone: "bad", word: "holds the lock, overdue" };
  if (holder?.nodeId === id || !serving) return { tone: "busy", word: "holds the lock" };
  return { tone: "idle", word: "does not hold it" };
}

/** As clients are configured: the coordinator's address, with the user and the password in it. */
export function baseUrlOf(origin: string, { user, password }: FleetLockOpened): string {
  const url = new URL(origin);
  url.username = user ?? "";
  url.password = password ?? "";
  return url.href;
}
