/** What a node's row says: pure, so that it can be tested without a browser. */
import type { UpdateReport } from "../../../../protocol/frames.ts";
import type { Node } from "../../../../protocol/node.ts";
import type { Tone } from "../../parts/mark.tsx";

/** Where a node stands, in a word, and more of it where there is more to say. */
export type NodeState = { readonly tone: Tone; readonly word: string; readonly detail: string | null };

const AT_WORK: Readonly<Record<Exclude<UpdateReport["state"], "idle">, string>> = {
  preparing: "preparing",
  prepared: "prepared",
  reserving: "asks for the lease",
  "handing-over": "handing over",
  committing: "committing",
  draining: "draining",
  resuming: "resuming",
  swapping: "swapping",
  probation: "on probation",
  confirming: "confirming",
  "going-back": "going back",
  exiting: "restarting",
};

export function stateOf(node: Node): NodeState {
  const reason = node.reason?.message ?? null;
  if (node.membership === "pending") return { tone: "warn", word: "waits for approval", detail: null };
  if (node.membership === "revoked") return { tone: "bad", word: "revoked", detail: reason };
  if (node.client !== undefined)
    return node.serving
      ? { tone: "idle", word: "speaks FleetLock", detail: null }
      : { tone: "busy", word: "may reboot", detail: "It holds the lock, or its lock was broken." };
  if (node.presence === "offline") return { tone: "bad", word: "offline", detail: reason };
  if (node.presence === "unknown")
    return { tone: "idle", word: "not heard yet", detail: "The coordinator has just started." };
  const { update, health } = node;
  if (update !== null && update.state !== "idle") {
    const tone = update.state === "going-back" ? "warn" : "busy";
    const percent = update.state === "preparing" ? ` ${update.percent} %` : "";
    return { tone, word: `${AT_WORK[update.state]}${percent}`, detail: update.reason?.message ?? reason };
  }
  if (health?.healthy === false) return { tone: "warn", word: "unhealthy", detail: health.detail ?? reason };
  if (health?.caughtUp === false)
    return { tone: "warn", word: "catching up", detail: health.detail ?? reason };
  if (!node.serving) return { tone: "warn", word: "not serving", detail: reason };
  return { tone: "good", word: node.hold ? "serving, on hold" : "serving", detail: reason };
}

/** Nobody that anything is installed on. */
export const FLEET_LOCK = "It speaks FleetLock: nothing is installed on it from here";

/** Why a node cannot be updated to the newest release right now; null when it can. */
export function whyNoUpdate(node: Node): string | null {
  const { latest } = node;
  if (node.client !== undefined) return FLEET_LOCK;
  if (node.membership !== "approved") return `${node.name} is not approved`;
  if (latest === null) return "No release is published for it";
  if (node.build !== null && !node.outdated) return `It runs ${latest} already`;
  if (node.presence !== "online")
    return `${node.name} is ${node.presence === "offline" ? "offline" : "not heard yet"}`;
  if (node.jobId !== null || (node.update !== null && node.update.state !== "idle"))
    return "A job is under way on it";
  const quarantined = node.quarantine.find(({ build }) => build.version === latest);
  if (quarantined !== undefined) return `${latest} is in quarantine here: ${quarantined.reason.message}`;
  if (node.hold) return "It is on hold since it was rolled back; its page has a retry";
  return null;
}

/** "1.3.0 → 1.4.0" of a node that is out of date; null of any other, and of one whose build nobody knows. */
export const behindBy = ({ outdated, build, latest }: Node): string | null =>
  outdated && build !== null && latest !== null ? `${build.version} → ${latest}` : null;

/** What the health hook says of its role, and whether it votes. */
export function roleOf({ health, voter }: Node): string {
  const role = health?.role;
  if (role === undefined) return voter ? "voter" : "no vote";
  return voter ? role : `${role}, no vote`;
}
