import { type Build, sameBuild, showBuild } from "../../protocol/build.ts";
import type { Finding } from "../../protocol/finding.ts";
import type { ServiceVersion } from "../../protocol/service.ts";
import { findingsOf } from "./finding.ts";

export type VersionsFacts = {
  /** What looks: the command, or the agent itself. */
  readonly self: Build;
  /** Without the leading "v". */
  readonly runtime: string;
  readonly protocol: number;
  readonly oldestProtocol: number;
  /** What the running agent runs; null when none runs or it could not be asked. */
  readonly running: Build | null;
  /** What `dist` names. */
  readonly dist: Build | null;
  readonly updateIsUnderWay: boolean;
  /** Of the first address that answers. */
  readonly coordinator: ServiceVersion | null;
};

const { ok, warning, problem } = findingsOf("versions");

/** Whether what runs is what should, and whether agent and coordinator understand each other. */
export function judgeVersions(facts: VersionsFacts): Finding[] {
  const { self, runtime, protocol } = facts;
  return [
    ok("versions", `This is ${showBuild(self)}, protocol ${protocol}, on Node ${runtime}.`),
    ...judgeRunning(facts),
    ...judgeCoordinator(facts),
  ];
}

function judgeRunning({ running, dist, updateIsUnderWay }: VersionsFacts): Finding[] {
  if (running === null || dist === null || sameBuild(running, dist) || updateIsUnderWay) return [];
  return [
    warning(
      "not-what-dist-names",
      `The agent runs ${showBuild(running)}, and dist names ${showBuild(dist)}.`,
      "A restart, when its group can be without it, starts what dist names: systemctl restart baton-agent",
    ),
  ];
}

function judgeCoordinator({ protocol, oldestProtocol, coordinator }: VersionsFacts): Finding[] {
  if (coordinator === null) return [];
  const protocols = ({ oldestProtocol: from, protocol: to }: ServiceVersion) =>
    from === to ? `protocol ${to}` : `protocols ${from} to ${to}`;
  const theirs = `The coordinator is version ${coordinator.version}, ${protocols(coordinator)}.`;
  if (coordinator.oldestProtocol > protocol) {
    return [
      problem(
        "protocol-too-old",
        `${theirs} It no longer speaks ours, ${protocol}.`,
        "Install a newer build from a file: agent install FILE",
      ),
    ];
  }
  if (coordinator.protocol < oldestProtocol) {
    return [
      problem(
        "protocol-too-new",
        `${theirs} It does not speak ours yet, ${oldestProtocol}.`,
        "Upgrade the coordinator.",
      ),
    ];
  }
  if (coordinator.protocol < protocol) {
    return [
      warning(
        "coordinator-older",
        `${theirs} Updates work; it asks for no diagnosis and learns of no crashes.`,
        "Upgrade the coordinator before the agents.",
      ),
    ];
  }
  return [ok("coordinator-version", theirs)];
}
