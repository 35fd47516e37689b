/** A history out of a seed: a small fleet, releases good and bad, an operator, and faults at odd and at aimed moments. */
import type { StateKind } from "../../agent/core/machine/state.ts";
import { MANNERS } from "./builds.ts";
import {
  type Act,
  ANOTHER,
  type Deed,
  type GroupSetup,
  type History,
  type NodeSetup,
  nodesOf,
  type ReleaseSetup,
  type RolloutAction,
  WHOEVER,
  type When,
} from "./history.ts";
import { type Random, randomOf } from "./random.ts";
import type { StorageKind } from "./storage.ts";

const FIRST_ROLLOUT_MS = 20_000;

export function invent(seed: number, storage: StorageKind): History {
  const random = randomOf(seed, "history");
  const groups = inventGroups(random);
  const releases = inventReleases(random);
  const untilMs = random.int(70_000, 220_000);
  const base = { seed, storage, coordinatorRate: rate(random), groups, untilMs };
  const names = nodesOf({ ...base, acts: [] }).map(({ name }) => name);
  const orders = releases.flatMap((release, index) =>
    inventOrders(random, release, groups, FIRST_ROLLOUT_MS + index * random.int(30_000, 120_000)),
  );
  const operator = times(
    random.weighted({ none: 3, some: 4, many: 2 }) === "none" ? 0 : random.int(1, 5),
  ).map(() => inventOperatorsAct(random, names, groups, releases, untilMs));
  const faults = times(random.weighted({ "0": 1, "2": 3, "4": 4, "8": 3, "14": 2 })).flatMap(() =>
    inventFault(random, names, untilMs),
  );
  return { ...base, acts: [...orders, ...operator, ...faults] };
}

const times = (count: number | string): readonly number[] =>
  Array.from({ length: Number(count) }, (_, at) => at);

const rate = (random: Random): number => (random.chance(0.3) ? 0.96 + random.next() * 0.08 : 1);

function inventGroups(random: Random): GroupSetup[] {
  const shape = random.weighted({ "3": 8, "5": 2, "4": 1, "3+1": 2, "3,i2": 2, "3,3": 2, i4: 1 });
  let count = 0;
  const nodes = (voters: number, others = 0): NodeSetup[] =>
    times(voters + others).map((at) => {
      count += 1;
      return {
        name: `n${count}`,
        voter: at < voters,
        mode: random.weighted({ websocket: 6, http: 1, auto: 1 }),
        rate: rate(random),
        wallOff: random.chance(0.1) ? random.int(-3_600_000, 3_600_000) : 0,
        canHandOver: random.chance(0.7),
      };
    });
  const quorum = (name: string, voters: number, others = 0): GroupSetup => ({
    name,
    mode: "quorum",
    hasRoles: random.chance(0.6),
    nodes: nodes(voters, others),
  });
  const independent = (name: string, size: number): GroupSetup => ({
    name,
    mode: "independent",
    hasRoles: false,
    nodes: nodes(size),
  });
  switch (shape) {
    case "3":
      return [quorum("db", 3)];
    case "4":
      return [quorum("db", 4)];
    case "5":
      return [quorum("db", 5)];
    case "3+1":
      return [quorum("db", 3, 1)];
    case "3,i2":
      return [quorum("db", 3), independent("edge", 2)];
    case "3,3":
      return [quorum("db", 3), quorum("kv", 3)];
    case "i4":
      return [independent("edge", 4)];
  }
}

function inventReleases(random: Random): ReleaseSetup[] {
  const count = random.weighted({ "1": 5, "2": 3, "3": 1 });
  return times(count).map((at) => {
    const version = `1.${at + 1}.0`;
    const manner = random.chance(0.6) ? "good" : random.pick(MANNERS);
    const minVersion = random.chance(0.15) ? version : random.chance(0.3) ? "1.0.0" : null;
    return { version, manner, minVersion, saysRole: random.chance(0.9) };
  });
}

function inventOrders(
  random: Random,
  release: ReleaseSetup,
  groups: readonly GroupSetup[],
  at: number,
): Act[] {
  const whole = random.chance(0.75);
  const publish: Act = { when: { at: at - random.int(1, 10_000) }, deed: { kind: "publish", release } };
  if (random.chance(0.2)) {
    const jobs = groups.flatMap(({ nodes }) =>
      nodes.map(
        ({ name: node }): Act => ({
          when: { at: at + random.int(0, 3_000) },
          deed: { kind: "job", node, job: "update", release: release.version, retry: false },
        }),
      ),
    );
    return [publish, ...jobs];
  }
  return [
    publish,
    {
      when: { at },
      deed: {
        kind: "rollout",
        release: release.version,
        groups: whole ? null : [random.pick(groups)?.name ?? "db"],
        stages: random.chance(0.6) ? [1] : random.chance(0.5) ? [0.5, 1] : [0.1, 0.5, 1],
        pauseMs: random.chance(0.1) ? null : random.int(0, 8_000),
        onFailure: random.chance(0.2) ? "rollback" : "halt",
        offline: random.chance(0.4) ? "skip" : "halt",
        retry: random.chance(0.1),
      },
    },
  ];
}

const ACTIONS: readonly RolloutAction[] = ["pause", "resume", "cancel", "retry", "rollback"];

function inventOperatorsAct(
  random: Random,
  names: readonly string[],
  groups: readonly GroupSetup[],
  releases: readonly ReleaseSetup[],
  untilMs: number,
): Act {
  const node = random.pick(names) ?? "n1";
  const group = random.pick(groups)?.name ?? "db";
  const kind = random.weighted({
    "tell-rollout": 6,
    job: 4,
    "cancel-job": 2,
    "break-lease": 3,
    "remove-node": 1,
    freeze: 2,
    "stop-unit": 4,
  });
  const deed = ((): Deed => {
    switch (kind) {
      case "tell-rollout":
        return { kind, action: random.pick(ACTIONS) ?? "pause" };
      case "job": {
        const job = random.chance(0.5) ? "update" : "rollback";
        const release =
          job === "update" && random.chance(0.5) ? (random.pick(releases)?.version ?? null) : null;
        return { kind, node, job, release, retry: random.chance(0.3) };
      }
      case "cancel-job":
      case "remove-node":
        return { kind, node };
      case "break-lease":
        return { kind, group };
      case "freeze":
        return { kind, group: random.chance(0.5) ? group : null, ms: random.int(1_000, 60_000) };
      case "stop-unit":
        return { kind, node: random.chance(0.6) ? WHOEVER : node, ms: random.int(100, 60_000) };
    }
  })();
  return { when: whenFor(random, deed, untilMs), deed };
}

/** What it takes to go back to has to have been kept before. */
function inventRestore(random: Random, untilMs: number): Act[] {
  const backup = { kind: "backup" } as const;
  const restore = { kind: "restore", ms: random.int(500, 30_000) } as const;
  if (random.chance(0.4)) {
    const at = random.int(15_000, untilMs - 20_000);
    const after = Math.min(untilMs - 5_000, at + random.int(100, 60_000));
    return [
      { when: { at }, deed: backup },
      { when: { at: after }, deed: restore },
    ];
  }
  const nth = random.int(1, 3);
  const enters = random.pick(["prepared", "reserving", "handing-over", "committing"] as const);
  const later = ["committing", "draining", "swapping", "exiting", "probation", "confirming", "idle"] as const;
  const then = random.pick(later);
  const afterMs = random.next() * (random.chance(0.5) ? 60 : 5_000);
  return [
    { when: { node: null, enters, nth, afterMs: random.next() * 30 }, deed: backup },
    { when: { node: null, enters: then, nth, afterMs }, deed: restore },
  ];
}

function inventFault(random: Random, names: readonly string[], untilMs: number): Act[] {
  const aim = random.weighted({ whoever: 5, another: 2, named: 3 });
  const node = aim === "whoever" ? WHOEVER : aim === "another" ? ANOTHER : (random.pick(names) ?? "n1");
  const kind = random.weighted({
    kill: 6,
    power: 7,
    suspend: 4,
    hang: 3,
    vanish: 1,
    cut: 7,
    weather: 5,
    disk: 3,
    "slow-disk": 2,
    wall: 1,
    hooks: 3,
    "coordinator-crash": 6,
    "coordinator-sleep": 2,
    "coordinator-slow": 2,
    elect: 3,
    restore: 3,
  });
  if (kind === "restore") return inventRestore(random, untilMs);
  const deed = ((): Deed => {
    switch (kind) {
      case "kill":
      case "elect":
      case "vanish":
        return { kind, node };
      case "power":
        return {
          kind,
          node,
          how: random.weighted({ "some-lost": 5, "all-lost": 3, "all-kept": 1 }),
          ms: long(random),
        };
      case "suspend":
        return { kind, node, ms: long(random) };
      case "hang":
        return { kind, node, ms: random.int(1_000, 40_000) };
      case "cut":
        return {
          kind,
          node: random.chance(0.2) ? "*" : node,
          direction: random.weighted({ both: 3, "to-coordinator": 2, "to-node": 2 }),
          ms: long(random),
        };
      case "weather":
        return {
          kind,
          weather: {
            loss: random.chance(0.6) ? random.next() * 0.3 : 0,
            repeat: random.chance(0.6) ? random.next() * 0.4 : 0,
            late: random.chance(0.6) ? random.next() * 0.3 : 0,
            maxLatencyMs: random.pick([20, 200, 2_000]),
          },
          ms: long(random),
        };
      case "disk":
        return { kind, node, trouble: random.pick(["ENOSPC", "EIO", "EROFS"]), ms: random.int(500, 30_000) };
      case "slow-disk":
        return { kind, node, factor: random.pick([20, 200, 1_000]), ms: random.int(5_000, 40_000) };
      case "wall":
        return { kind, node: random.chance(0.3) ? null : node, byMs: random.int(-7_200_000, 7_200_000) };
      case "hooks":
        return {
          kind,
          fails: random.chance(0.5) ? random.next() * 0.6 : 0,
          overruns: random.chance(0.6) ? random.next() * 0.8 : 0,
          ms: long(random),
        };
      case "coordinator-crash":
      case "coordinator-sleep":
        return { kind, ms: random.chance(0.5) ? random.int(100, 5_000) : long(random) };
      case "coordinator-slow":
        return { kind, factor: random.pick([20, 200]), ms: random.int(5_000, 40_000) };
    }
  })();
  return [{ when: whenFor(random, deed, untilMs), deed }];
}

const long = (random: Random): number =>
  random.pick([2_000, 15_000, 60_000, 120_000]) * (0.5 + random.next());

/** What is done to whoever does something follows it; the rest comes so or so. */
function whenFor(random: Random, deed: Deed, untilMs: number): When {
  // Nobody may break a lease while its node might still begin to act.
  if (deed.kind === "break-lease" && random.chance(0.7))
    return { node: null, enters: "exiting", nth: random.int(1, 3), afterMs: random.int(12_000, 30_000) };
  const isAimed = ("node" in deed && (deed.node === WHOEVER || deed.node === ANOTHER)) || random.chance(0.4);
  return isAimed ? aimed(random) : { at: random.int(10_000, untilMs - 5_000) };
}

const AIMS: Readonly<Partial<Record<StateKind, number>>> = {
  preparing: 1,
  prepared: 1,
  reserving: 2,
  "handing-over": 2,
  committing: 4,
  draining: 4,
  swapping: 6,
  exiting: 4,
  resuming: 4,
  probation: 6,
  confirming: 6,
  "going-back": 6,
  idle: 1,
};

function aimed(random: Random): When {
  const enters = random.weighted(AIMS as Record<StateKind, number>);
  const quick = { committing: 60, swapping: 120, confirming: 60, "going-back": 120, resuming: 300 }[
    enters as string
  ];
  const afterMs = random.chance(0.7) ? random.next() * (quick ?? 600) : random.next() * 20_000;
  return { node: null, enters, nth: random.int(1, 3), afterMs };
}
