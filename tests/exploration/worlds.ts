/** The worlds that are explored: how they begin, and what may go wrong in them. */
import { EMPTY_JOURNAL } from "../../agent/core/journal.ts";
import { type Build, releaseName } from "../../protocol/build.ts";
import type { JobRecord } from "../../server-stub/core/job/job.ts";
import { NO_LEASE } from "../../server-stub/core/lease/record.ts";
import { heartbeat, hello } from "./world/network.ts";
import { start } from "./world/process.ts";
import { type Faults, idOf, type Node, nodeAt, type World } from "./world/world.ts";

const build = (version: string, digit: string): Build => ({ version, buildHash: digit.repeat(64) });
const place = (of: Build) => ({ build: of, link: `releases/${releaseName(of)}` });
/** What ran before, what runs, and what is to run. */
const [PAST, OLD, NEW] = [build("0.9.0", "c"), build("1.0.0", "a"), build("1.1.0", "b")];

const NO_FAULTS: Faults = {
  crash: 0,
  late: 0,
  copy: 0,
  restart: 0,
  backup: 0,
  restore: 0,
  break: 0,
  remove: 0,
  stop: 0,
  cut: 0,
  pause: 0,
  sleep: 0,
  gate: 0,
  elect: 0,
  hook: 0,
};

export type Beginning = {
  /** What each of a, b and c is asked for; null for one that only votes. */
  readonly jobs: readonly ("update" | "rollback" | null)[];
  /** How much may go wrong. */
  readonly faults: Partial<Faults>;
  readonly isOpen?: boolean;
  /** Who leads; nobody where roles are not played. */
  readonly leader?: number;
};

const ONE = ["update", null, null] as const;
const TWO = ["update", "update", null] as const;

/** Those that `npm test` searches. */
export const WORLDS: Readonly<Record<string, Beginning>> = {
  "three updates, nothing goes wrong": { jobs: ["update", "update", "update"], faults: {} },
  "one update, a crash": { jobs: ONE, faults: { crash: 1 } },
  "one update, a message that is late or lost": { jobs: ONE, faults: { late: 1 } },
  "one update, a message that comes twice": { jobs: ONE, faults: { copy: 1 } },
  "one update, a suspend": { jobs: ONE, faults: { sleep: 1 } },
  "one update, a stop by systemd": { jobs: ONE, faults: { stop: 1 } },
  "one update, a hook that fails, a session that ends": { jobs: ONE, faults: { hook: 1, cut: 1 } },
  "one update, a gate that closes and opens": { jobs: ONE, faults: { gate: 2 } },
  "one update, time that passes, a break": { jobs: ONE, faults: { break: 1, pause: 1 } },
  "one update, a crash, a removal": { jobs: ONE, faults: { crash: 1, remove: 1 } },
  "one update, a restart of the coordinator": { jobs: ONE, faults: { restart: 1 } },
  "one update, a backup and a restore": { jobs: ONE, faults: { backup: 1, restore: 1 } },
  "one rollback, a crash": { jobs: ["rollback", null, null], faults: { crash: 1 } },
  "two updates, a crash": { jobs: TWO, faults: { crash: 1 } },
  "two updates, time that passes, a break": { jobs: TWO, faults: { break: 1, pause: 1 } },
  "two updates, a leader, an election": { jobs: TWO, faults: { elect: 1 }, leader: 0 },
};

/** Everybody is up and has been heard; those with a job have its build ready, and nobody has asked for the lease. */
export function begin({ jobs, faults, isOpen = true, leader }: Beginning): World {
  const idle: Node = {
    disk: {
      journal: EMPTY_JOURNAL,
      dist: place(OLD),
      backup: place(PAST),
      trial: null,
      quarantine: [],
      verdict: null,
    },
    process: null,
    member: true,
    lagMs: 0,
  };
  let world: World = {
    now: 1_000_000,
    nodes: jobs.map(() => idle),
    hub: {
      lease: NO_LEASE,
      jobs: jobs.map((kind, at) => (kind === null ? null : job(kind, at))),
      known: jobs.map(() => null),
      epoch: 0,
      isOpen,
      presence: jobs.map(() => undefined),
      startedAt: 0,
      backup: null,
      given: 0,
    },
    wire: [],
    left: NO_FAULTS,
    leader: leader ?? null,
    serial: 1,
  };
  jobs.forEach((_, at) => {
    world = start(world, at);
    const { process } = nodeAt(world, at);
    if (process !== null) world = hello(world, at, process);
    world = heartbeat(world, at) ?? world;
  });
  return { ...world, left: { ...NO_FAULTS, ...faults } };
}

const job = (kind: "update" | "rollback", at: number): JobRecord => ({
  id: `j-00000000000${"abc"[at] ?? "z"}`,
  kind,
  nodeId: idOf(at),
  group: "g",
  cause: "operator",
  rolloutId: null,
  release: kind === "update" ? NEW.version : null,
  from: OLD,
  to: kind === "update" ? NEW : PAST,
  retry: false,
  retryOf: null,
  acceptOutage: false,
  status: "queued",
  step: null,
  percent: 0,
  bytesPerSecond: null,
  reason: null,
  confirming: null,
  returns: 0,
  createdAt: 0,
  startedAt: null,
  endedAt: null,
});
