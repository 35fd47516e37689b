/** One process of the real agent on a simulated machine: put together as `agent/link.ts` and `agent/daemon.ts` do it. */
import { DEFAULT_POLICY, type Policy } from "../../agent/core/machine/facts.ts";
import type { WorkloadControl } from "../../agent/core/ports.ts";
import { createDiagnoser } from "../../agent/diagnose.ts";
import type { Disk } from "../../agent/effects/disk.ts";
import { JOB_LOG_LIMITS } from "../../agent/effects/job-log.ts";
import { layoutOf } from "../../agent/effects/layout.ts";
import type { Log } from "../../agent/effects/log.ts";
import { createLogTail } from "../../agent/effects/log-tail.ts";
import type { Scheduler } from "../../agent/effects/scheduler.ts";
import { type Agent, createAgent } from "../../agent/runner.ts";
import { createAddresses } from "../../agent/session/addresses.ts";
import { openHttp } from "../../agent/session/http.ts";
import { createLeaseClient } from "../../agent/session/lease-client.ts";
import { createSession, type SessionMode } from "../../agent/session/session.ts";
import type { TransportFault } from "../../agent/session/transport.ts";
import { DEFAULTS } from "../../protocol/defaults.ts";
import type { Finding } from "../../protocol/finding.ts";
import { err, ok } from "../../protocol/result.ts";
import type { Clock } from "../../protocol/time.ts";
import { type Builds, PLATFORM, type SimBuild, simPreparer } from "./builds.ts";
import { simHttp } from "./http.ts";
import type { Random } from "./random.ts";
import { openSocket, type Wire } from "./socket.ts";

export type AgentWorld = {
  readonly root: string;
  readonly build: SimBuild;
  readonly builds: Builds;
  readonly instanceId: string;
  readonly bootId: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly wire: Wire;
  readonly mode: SessionMode;
  readonly group: () => string;
  readonly workload: WorkloadControl;
  readonly policy: Partial<Policy>;
  readonly tries: number;
  readonly refunds: number;
  readonly log: Log;
  readonly wait: (ms: number) => Promise<void>;
  readonly joinedGroup: (group: string) => void;
  readonly opened: () => void;
};

export type AgentProcess = { readonly agent: Agent; readonly connect: () => void };

const CANNOT: TransportFault = { code: "unreachable", message: "This build cannot reach anybody." };
const NO_SOCKET: TransportFault = { code: "not-supported", message: "No WebSocket gets through here." };
/** What a look at the machine finds. */
const FINDINGS: readonly Finding[] = [
  { check: "disk", code: "disk-ok", level: "ok", message: "There is room on the disk.", hint: null },
];
const SERVERS = createAddresses(["https://coordinator"]);

export function assembleAgent(world: AgentWorld): AgentProcess {
  const { build, builds, clock, scheduler, random, wire, disk, root, log } = world;
  const layout = layoutOf(root);
  const connects = build.manner !== "cannot-connect";
  const http = simHttp(wire, (ms, run) => scheduler.after(ms, run));
  const agent = createAgent({
    disk,
    clock,
    scheduler,
    log,
    lease: createLeaseClient(http, world.group),
    preparer: simPreparer({
      builds,
      disk,
      layout,
      running: build.build,
      random,
      wait: world.wait,
      reaches: () => connects && wire.coordinator().isRunning && wire.network.reaches(wire.node),
    }),
    workload: world.workload,
    stateDir: root,
    running: build.build,
    instanceId: world.instanceId,
    bootId: world.bootId,
    policy: { ...DEFAULT_POLICY, ...world.policy },
    trial: { tries: world.tries, refunds: world.refunds },
    healthEveryMs: DEFAULTS.healthEveryMs,
    lock: () => Promise.resolve(ok({ release: () => Promise.resolve() })),
  });
  const diagnoser = createDiagnoser({
    look: () => Promise.resolve(FINDINGS),
    tail: createLogTail(),
    read: (jobId) => agent.logLines(jobId, 0, JOB_LOG_LIMITS.maxLines),
    write: (jobId, text) => agent.note(jobId, text),
    done: () => session.changed(),
    log,
  });
  const socket = openSocket(wire);
  const session = createSession({
    mode: world.mode,
    websocket: (events, signal) =>
      !connects
        ? Promise.resolve(err(CANNOT))
        : world.mode === "auto"
          ? Promise.resolve(err(NO_SOCKET))
          : socket(events, signal),
    http: connects ? openHttp({ http, addresses: SERVERS }) : () => Promise.resolve(err(CANNOT)),
    source: {
      hello: () => ({ ...agent.helloParts(), platform: PLATFORM, runtime: "26.10.0" }),
      heartbeat: () => ({ ...agent.heartbeatParts(), crashes: 0 }),
      diagnosis: (jobId) => diagnoser.ended(jobId),
      logLines: (jobId, from, limit) => agent.logLines(jobId, from, limit),
    },
    events: {
      welcomed: ({ group }) => world.joinedGroup(group),
      opened: (session) => {
        world.opened();
        agent.sessionOpened(session);
      },
      closed: () => agent.sessionClosed(),
      orders: (orders) => {
        agent.receive(orders);
        diagnoser.wanted(orders.diagnose?.jobId ?? null);
      },
    },
    reconnect: { minMs: DEFAULTS.reconnectMinMs, maxMs: DEFAULTS.reconnectMaxMs },
    clock,
    scheduler,
    random: () => random.next(),
    log,
  });
  return {
    agent,
    connect: () => {
      session.start();
      agent.subscribe(() => session.changed());
      agent.subscribeLog(() => session.logged());
    },
  };
}
