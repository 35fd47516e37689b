/** Whole fleets in virtual time: 20,000 histories, one per seed, on two threads; and every planted fault is hunted. */
import { describeHunt, hunt } from "../../simulation/hunt.ts";
import { MUTATIONS } from "../../simulation/mutations.ts";
import { describeFailure, runSeeds } from "../../simulation/pool.ts";
import { type Part, type Shard, shareOf } from "../part.ts";

export const SEEDS = 20_000;
const THREADS = 2;
/** A fault that so many histories do not find is not found. */
const HUNT = 400;
const SAY_EVERY = 1_000;

const range = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

async function histories(shard: Shard, print: (line: string) => void) {
  const seeds = shareOf(range(SEEDS), shard);
  let done = 0;
  const { failures, seen, steps, virtualMs, ran } = await runSeeds({
    seeds,
    threads: THREADS,
    shrinks: true,
    maxFailures: 10,
    told: (answer) => {
      done += 1;
      if (answer.failure !== null) print(describeFailure(answer));
      if (done % SAY_EVERY === 0) print(`${done} of ${seeds.length} histories`);
    },
  });
  const of = (what: string) => `${seen.get(`lease: ${what}`) ?? 0} ${what}`;
  const leases = ["granted", "committed", "returned", "broken", "adopted"].map(of).join(", ");
  const hours = Math.round(virtualMs / 3_600_000);
  print(`${ran} histories of ${hours} hours in all, ${steps} steps; leases: ${leases}`);
  return { passed: ran - failures.length, failed: failures.length };
}

async function faults(shard: Shard, print: (line: string) => void) {
  let [passed, failed] = [0, 0];
  for (const mutation of shareOf(MUTATIONS, shard)) {
    // One that cannot be planted any more is not found either, and keeps no other from being hunted.
    const found = await hunt(mutation, { seeds: range(HUNT), threads: THREADS }).catch((cause: unknown) => {
      print(`${mutation.name}: ${String(cause)}`);
      return null;
    });
    if (found !== null) print(describeHunt(found));
    if (found?.found == null) failed += 1;
    else passed += 1;
  }
  return { passed, failed };
}

export const part: Part = {
  name: "simulation",
  run: async (shard, print) => {
    const [first, second] = [await histories(shard, print), await faults(shard, print)];
    return { passed: first.passed + second.passed, failed: first.failed + second.failed };
  },
};
