/** What goes wrong in a history, and when: at odd moments, and right after somebody has come to a state. */
import type { StateKind } from "../../agent/core/machine/state.ts";
import { type Act, ANOTHER, type Deed, WHOEVER, type When } from "./history.ts";
import type { Random } from "./random.ts";

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

export function inventFault(random: Random, names: readonly string[], untilMs: number): Act[] {
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
export function whenFor(random: Random, deed: Deed, untilMs: number): When {
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
