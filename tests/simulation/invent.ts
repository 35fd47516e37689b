/** A history out of a seed: a small fleet, releases good and bad, an operator, and faults at odd and at aimed moments. */
import { MANNERS } from "./builds.ts";
import {
  type Act,
  type Deed,
  type GroupSetup,
  type History,
  type NodeSetup,
  nodesOf,
  type ReleaseSetup,
  type RolloutAction,
  WHOEVER,
} from "./history.ts";
import { inventFault, whenFor } from "./invent-faults.ts";
import { inventReplicas } from "./invent-replicas.ts";
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
  const acts = [...orders, ...operator, ...faults];
  const replicas = inventReplicas(seed, untilMs);
  return replicas === null
    ? { ...base, acts }
    : { ...base, replicas: replicas.names, acts: [...acts, ...replicas.acts] };
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
