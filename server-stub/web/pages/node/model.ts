/** What may be done with one node, and what is said of its builds: pure. The coordinator decides all the same. */
import type { Build } from "../../../../protocol/build.ts";
import type { Node } from "../../../../protocol/node.ts";
import type { Tone } from "../../parts/mark.tsx";
import { FLEET_LOCK } from "../nodes/model.ts";

const whyNobody = (node: Node): string | null => {
  if (node.client !== undefined) return FLEET_LOCK;
  if (node.membership !== "approved") return `${node.name} is not approved`;
  if (node.presence !== "online")
    return `${node.name} is ${node.presence === "offline" ? "offline" : "not heard yet"}`;
  return null;
};

const isBusy = (node: Node): boolean =>
  node.jobId !== null || (node.update !== null && node.update.state !== "idle");

/** The release that it would be brought to is what holds it back: then it may be tried again, by name. */
export function refusedHere(node: Node): string | null {
  if (node.build === null || !node.outdated || node.latest === null) return null;
  const found = node.quarantine.find(({ build }) => build.version === node.latest);
  if (found !== undefined) return `${node.latest} is in quarantine here: ${found.reason.message}`;
  return node.hold ? "It is on hold since it was rolled back." : null;
}

export const whyNotRetry = (node: Node): string | null =>
  whyNobody(node) ?? (isBusy(node) ? "A job is under way on it" : null);

export function whyNotRollBack(node: Node): string | null {
  const nobody = whyNobody(node);
  if (nobody !== null) return nobody;
  if (isBusy(node)) return "A job is under way on it";
  return node.backup === null ? `${node.name} has no build to go back to` : null;
}

export const whyNotDiagnose = (node: Node, diagnosing: boolean): string | null =>
  whyNobody(node) ?? (diagnosing ? "It looks at itself already" : null);

export type Probe = {
  readonly name: string;
  readonly tone: Tone;
  readonly word: string;
  readonly detail?: string;
};

/** What is known of how it does, one line for each thing that counts. */
export function probesOf({ presence, health, serving, journal, client }: Node): readonly Probe[] {
  if (client !== undefined)
    return [{ name: "Presence", tone: "idle", word: "not known of FleetLock clients" }];
  const online = presence === "online";
  return [
    {
      name: "Presence",
      tone: online ? "good" : presence === "offline" ? "bad" : "idle",
      word: presence === "unknown" ? "not heard yet" : presence,
    },
    {
      name: "Health hook",
      tone: health === null ? "idle" : health.healthy ? "good" : "warn",
      word: health === null ? "not heard yet" : health.healthy ? "healthy" : "unhealthy",
      ...(health?.detail === undefined ? {} : { detail: health.detail }),
    },
    {
      name: "Caught up",
      tone: health?.caughtUp === undefined ? "idle" : health.caughtUp ? "good" : "warn",
      word: health?.caughtUp === undefined ? "it does not say" : health.caughtUp ? "yes" : "not yet",
    },
    { name: "Role", tone: "idle", word: health?.role ?? "it does not say" },
    {
      name: "Serving",
      tone: serving ? "good" : "warn",
      word: serving ? "counts as serving" : "does not count as serving",
    },
    {
      name: "Journal",
      tone: journal === null || journal.kind === "idle" || journal.kind === "confirmed" ? "idle" : "busy",
      word: journal?.kind ?? "not heard yet",
    },
  ];
}

/** "1.4.0 · 0a1b2c3d4e5f". */
export const hashOf = ({ buildHash }: Build): string => buildHash.slice(0, 12);
