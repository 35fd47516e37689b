import type { FleetLockSettings } from "../../protocol/fleet-lock.ts";
import type { Group } from "../../protocol/group.ts";
import { leaseLine } from "./lease.ts";
import { facts } from "./table.ts";
import { instant, span } from "./time.ts";

export const groupFacts = (group: Group, now: number): string =>
  facts([
    ["name", group.name],
    ["mode", group.mode],
    ["nodes", String(group.nodes)],
    ["channel", group.channel ?? "-"],
    ["desired", group.desired ?? "-"],
    ...(group.mode === "quorum" ? quorumFacts(group) : []),
    ["lease", leaseLine(group.lease, now)],
    ["windows", windowsOf(group)],
    ...(group.freeze === null
      ? []
      : [
          [
            "frozen",
            `by ${group.freeze.by} since ${instant(group.freeze.at)}: ${group.freeze.reason}`,
          ] as const,
        ]),
    ...(group.fleetLock === undefined ? [] : [["FleetLock", fleetLockOf(group.fleetLock)] as const]),
    ...(group.gate === null ? [] : [["closed", `${group.gate.message} (${group.gate.code})`] as const]),
  ]);

const quorumFacts = ({ spare, lease }: Group): readonly (readonly [string, string])[] => [
  ["voters", `${lease.voters}, ${lease.serving} serving`],
  ["quorum", `${lease.quorum} + ${lease.spare} spare${spare === null ? " (default)" : ""}`],
];

const fleetLockOf = ({ voter, autoApprove, basicAuth }: FleetLockSettings): string =>
  [
    basicAuth ? "open, by a password" : "open, without a password",
    autoApprove ? "new clients are let in at once" : "new clients wait for approval",
    ...(voter ? ["with a vote"] : []),
  ].join("; ");

const windowsOf = ({ windows }: Group): string => {
  if (windows === null) return "the fleet's";
  const all = windows.map(
    ({ cron, timezone, durationMs }) => `${cron} (${timezone}) for ${span(durationMs)}`,
  );
  return all.join("; ") || "always open";
};
