/**
 * The doctor: looks at everything at once, each look within its time, and judges what was seen. The same for the
 * command, which works without an agent and without a coordinator, and for the daemon, when its coordinator asks.
 */
import { dirname } from "node:path";
import type { Finding } from "../../protocol/finding.ts";
import { OLDEST_PROTOCOL, PROTOCOL } from "../../protocol/frames.ts";
import { wrongProxyVariables } from "../../protocol/proxy.ts";
import type { DurationMs } from "../../protocol/time.ts";
import type { Config } from "../config.ts";
import { realClock } from "../effects/clock.ts";
import { realDisk } from "../effects/disk.ts";
import { readJoined } from "../effects/identity.ts";
import { layoutOf } from "../effects/layout.ts";
import type { Running } from "../running.ts";
import type { Network } from "../session/network.ts";
import type { BuildsFacts } from "./builds.ts";
import type { CertificatesFacts } from "./certificates.ts";
import type { CoordinatorFacts } from "./coordinator.ts";
import { lookAtAuthorities } from "./gather/authorities.ts";
import { lookAtBuilds } from "./gather/builds.ts";
import { lookAtServer } from "./gather/coordinator.ts";
import { lookAtDisk } from "./gather/disk.ts";
import { lookAtGuard, programsOf } from "./gather/guard.ts";
import { limited } from "./gather/limited.ts";
import { lookAtPaths } from "./gather/paths.ts";
import { lookAtProcess } from "./gather/process.ts";
import { lookAtTrust } from "./gather/trust.ts";
import { lookAtUnit } from "./gather/unit.ts";
import { judge, type Seen } from "./judge.ts";
import type { ProcessFacts, RunningAgent } from "./process.ts";
import type { SettingsFacts } from "./settings.ts";
import type { VersionsFacts } from "./versions.ts";

export type DoctorParts = {
  readonly config: Config;
  /** What is wrong with the settings, when `config` is the default. */
  readonly settingsFault: SettingsFacts["fault"];
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly running: Running;
  readonly network: Network;
  /** The agent that looks at itself; null for the command, which asks the one that runs. */
  readonly self: { readonly status: () => RunningAgent; readonly crashes: () => number } | null;
};

/** For a look at this machine, and for one at the coordinator, whose layers have a time each. */
const LOOK_MS: DurationMs = 10_000;
const FAR_LOOK_MS: DurationMs = 20_000;

/** Everything that was found, in the order in which it is read. Takes 20 s at most; never rejects. */
export async function lookAtNode(parts: DoctorParts): Promise<Finding[]> {
  const { config, env, self } = parts;
  const layout = layoutOf(config.stateDir);
  const caFile = config.caFile ?? null;
  const near = <T>(look: () => Promise<T>) => limited(LOOK_MS, look);
  const runDir = dirname(config.controlSocket);
  const [agent, service, guard, builds, disk, permissions, trust, coordinator] = await Promise.all([
    near(async (): Promise<ProcessFacts> => {
      if (self === null) return lookAtProcess(config.controlSocket, () => realClock.now());
      return { kind: "running", status: self.status(), now: realClock.now() };
    }),
    near(() => lookAtUnit(env)),
    near(() =>
      lookAtGuard({ programs: programsOf(env), runDir, layout }, self?.crashes ?? null, realClock.uptime()),
    ),
    near(() => lookAtBuilds(layout)),
    near(() => lookAtDisk(layout)),
    near(() => lookAtPaths(layout, [caFile], self !== null)),
    near(() => lookAtTrust(layout.state, realClock.now())),
    limited(FAR_LOOK_MS, () => lookAtCoordinator(parts, layout.state)),
  ]);
  return judge({
    settings: seen({ file: config.file, fault: parts.settingsFault, wrongProxies: wrongProxyVariables(env) }),
    agent,
    service,
    guard,
    builds,
    disk,
    permissions,
    trust,
    coordinator,
    versions: seen(versionsOf(parts, agent, builds, coordinator)),
    certificates: await near(async () => certificatesOf(caFile, coordinator)),
    clock: seen({ offsetMs: answers(coordinator).map(({ offsetMs }) => offsetMs)[0] ?? null }),
  });
}

const seen = <T>(facts: T): Seen<T> => ({ kind: "seen", facts });

async function lookAtCoordinator(
  { config, network }: DoctorParts,
  stateDir: string,
): Promise<CoordinatorFacts> {
  const joined = await readJoined(realDisk, stateDir);
  const identity = joined.ok ? joined.value.identity : null;
  const addresses = config.servers.length > 0 ? config.servers : (identity?.servers ?? []);
  return { servers: await Promise.all(addresses.map((each) => lookAtServer(each, network, identity))) };
}

const answers = (coordinator: Seen<CoordinatorFacts>) =>
  coordinator.kind !== "seen"
    ? []
    : coordinator.facts.servers.flatMap(({ server, answer }) =>
        answer?.ok === true ? [{ server, ...answer }] : [],
      );

function versionsOf(
  { running }: DoctorParts,
  agent: Seen<ProcessFacts>,
  builds: Seen<BuildsFacts>,
  coordinator: Seen<CoordinatorFacts>,
): VersionsFacts {
  const found = builds.kind === "seen" ? builds.facts : null;
  const isRunning = agent.kind === "seen" && agent.facts.kind === "running";
  const { journal } = found ?? {};
  return {
    self: running.build,
    runtime: process.versions.node,
    protocol: PROTOCOL,
    oldestProtocol: OLDEST_PROTOCOL,
    running: isRunning && agent.facts.kind === "running" ? agent.facts.status.build : null,
    dist: found?.dist.placed?.build ?? null,
    updateIsUnderWay: journal?.kind === "found" && journal.value.phase.kind !== "idle",
    coordinator: answers(coordinator).flatMap(({ version }) => version ?? [])[0] ?? null,
  };
}

function certificatesOf(caFile: string | null, coordinator: Seen<CoordinatorFacts>): CertificatesFacts {
  return {
    caFile: lookAtAuthorities(caFile),
    servers: answers(coordinator).flatMap(({ server, certificate }) =>
      certificate === null ? [] : [{ server, ...certificate }],
    ),
    now: realClock.now(),
  };
}
