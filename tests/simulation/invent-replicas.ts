/** Histories of several coordinators over one database: who falls out, and what the way to the database is like. */
import type { Act, Deed, Replica } from "./history.ts";
import { whenFor } from "./invent-faults.ts";
import { type Random, randomOf } from "./random.ts";

const EVERY = 4;
const NAMES = ["east", "west", "north"] as const;

/** One history in four has several; null where there is one, over a store of its own. */
export function inventReplicas(
  seed: number,
  untilMs: number,
): { readonly names: readonly string[]; readonly acts: readonly Act[] } | null {
  if (seed % EVERY !== 0) return null;
  const random = randomOf(seed, "replicas");
  const names = NAMES.slice(0, random.chance(0.25) ? 3 : 2);
  const count = random.int(2, 6);
  return { names, acts: Array.from({ length: count }, () => inventFault(random, untilMs)) };
}

function inventFault(random: Random, untilMs: number): Act {
  const at: Replica = random.chance(0.75) ? "seat" : "other";
  const kind = random.weighted({
    "database-weather": 6,
    "coordinator-sleep": 5,
    "coordinator-crash": 4,
    "database-cut": 4,
    "seat-freed": 2,
    "seat-split": 1,
  });
  const ms = random.pick([1_000, 5_000, 20_000, 60_000]) * (0.5 + random.next());
  const deed = ((): Deed => {
    switch (kind) {
      case "database-weather": {
        const share = () => (random.chance(0.6) ? random.next() * 0.3 : 0);
        const maxLatencyMs = random.pick([5, 50, 500]);
        return { kind, weather: { lost: share(), unanswered: share(), late: share(), maxLatencyMs }, ms };
      }
      case "database-cut":
        return { kind, at: random.chance(0.2) ? "all" : at, ms };
      case "seat-freed":
        return { kind };
      case "seat-split":
        return { kind, ms: Math.min(ms, 15_000) };
      case "coordinator-sleep":
      case "coordinator-crash":
        return { kind, at, ms };
    }
  })();
  return { when: whenFor(random, deed, untilMs), deed };
}
