import { showBuild } from "../../protocol/build.ts";
import type { Node } from "../../protocol/node.ts";
import { plainWords } from "../../protocol/plain-words.ts";
import type { World } from "../world.ts";
import { instant, span } from "./time.ts";

type Colors = World["colors"];

/** What a node is doing, in one word or two, as a person would say it. */
export function stateOf(node: Node): string {
  if (node.membership !== "approved") return node.membership === "pending" ? "waits for approval" : "revoked";
  if (node.client === "fleet-lock") return node.serving ? "speaks FleetLock" : "may reboot";
  if (node.presence !== "online") return node.presence;
  if (node.update !== null && node.update.state !== "idle") {
    return node.update.percent > 0 ? `${node.update.state} ${node.update.percent} %` : node.update.state;
  }
  if (node.health?.healthy === false) return "unhealthy";
  return node.serving ? "serving" : "not serving";
}

export function coloredState(colors: Colors, node: Node): string {
  const state = stateOf(node);
  if (state === "serving" || state === "speaks FleetLock") return colors.green(state);
  if (state === "offline" || state === "unhealthy" || state === "revoked") return colors.red(state);
  return colors.yellow(state);
}

export const nodeRow = (colors: Colors, now: number, node: Node): readonly string[] => [
  node.name,
  node.group,
  node.build?.version ?? "-",
  node.behind ? colors.yellow(`→ ${node.desired ?? "?"}`) : (node.desired ?? "-"),
  `${node.health?.role ?? "-"}${node.voter ? "" : " (no vote)"}`,
  coloredState(colors, node),
  node.lastSeenAt === null ? "never" : `${span(now - node.lastSeenAt)} ago`,
];

export const NODE_HEADING = ["NAME", "GROUP", "VERSION", "DESIRED", "ROLE", "STATE", "SEEN"] as const;

export const nodeFacts = (node: Node): readonly (readonly [string, string])[] => [
  ["id", node.id],
  ["name", node.name],
  ["group", `${node.group}${node.voter ? "" : " (no vote)"}`],
  ["state", stateOf(node)],
  [
    "health",
    node.health === null
      ? "-"
      : `${node.health.healthy ? "healthy" : "unhealthy"}${node.health.detail === undefined ? "" : `: ${plainWords(node.health.detail)}`}`,
  ],
  ["role", node.health?.role ?? "-"],
  ["build", node.build === null ? "-" : showBuild(node.build)],
  ["before", node.backup === null ? "-" : showBuild(node.backup)],
  ["desired", `${node.desired ?? "-"}${node.behind ? " (behind)" : ""}`],
  ["held", node.hold ? "yes: it stays on its build until told to retry" : "no"],
  ["platform", node.platform ?? "-"],
  ["last seen", instant(node.lastSeenAt)],
  ["job", node.jobId ?? "-"],
  ...(node.reason === null ? [] : [["why", `${node.reason.message} (${node.reason.code})`] as const]),
  ...node.quarantine.map(
    (entry) => ["quarantined", `${showBuild(entry.build)}: ${entry.reason.message}`] as const,
  ),
  ...Object.entries(node.labels).map(([key, value]) => ["label", `${key}=${value}`] as const),
];
