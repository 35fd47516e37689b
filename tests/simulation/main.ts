/**
 * `npm run test:sim -- [--seeds N] [--from S] [--storage memory|sqlite] [--threads N] [--tell] [--seen] [--history FILE]
 * [--mutations]`:
 * runs so many histories; says what broke, in the smallest history that breaks it. `--tell` prints each story in full;
 * `--history` runs what a file holds, such as one that was printed before; `--mutations` plants faults, and looks in which
 * of the seeds each is found.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { History } from "./history.ts";
import { describeHunt, hunt } from "./hunt.ts";
import { invent } from "./invent.ts";
import { MUTATIONS } from "./mutations.ts";
import { describeFailure, runSeeds, storageOf } from "./pool.ts";
import { runHistory } from "./run.ts";
import type { StorageKind } from "./storage.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "100" },
    from: { type: "string", default: "1" },
    storage: { type: "string" },
    threads: { type: "string", default: "2" },
    tell: { type: "boolean", default: false },
    seen: { type: "boolean", default: false },
    "no-shrink": { type: "boolean", default: false },
    history: { type: "string" },
    mutations: { type: "boolean", default: false },
  },
});
const print = (line: string) => void process.stdout.write(`${line}\n`);
const seeds = Array.from({ length: Number(values.seeds) }, (_, at) => Number(values.from) + at);
const storage = (values.storage ?? null) as StorageKind | null;
const tell = async (history: History): Promise<boolean> => {
  const { story, failure } = await runHistory(history, { isTold: true });
  print(story.join("\n"));
  if (failure !== null) print(`seed ${history.seed}: ${failure.rule}: ${failure.message} ${failure.stack}`);
  return failure === null;
};

const began = performance.now();
let failed = 0;
if (values.history !== undefined) {
  failed = (await tell(JSON.parse(readFileSync(values.history, "utf8")) as History)) ? 0 : 1;
} else if (values.mutations) {
  for (const mutation of MUTATIONS) {
    const hunted = await hunt(mutation, { seeds, threads: Number(values.threads) });
    print(describeHunt(hunted));
    if (hunted.found === null) failed += 1;
  }
} else if (values.tell) {
  for (const seed of seeds) if (!(await tell(invent(seed, storage ?? storageOf(seed))))) failed += 1;
} else {
  const tally = await runSeeds({
    seeds,
    storage,
    threads: Number(values.threads),
    shrinks: !values["no-shrink"],
    told: (answer) => {
      if (answer.failure !== null) print(describeFailure(answer));
    },
  });
  failed = tally.failures.length;
  if (values.seen)
    for (const what of [...tally.seen.keys()].sort())
      print(`${String(tally.seen.get(what)).padStart(8)} ${what}`);
  const seconds = (performance.now() - began) / 1000;
  const perSeed = ((seconds * 1000) / seeds.length).toFixed(0);
  const hours = (tally.virtualMs / 3_600_000).toFixed(1);
  print(
    `${seeds.length} histories, ${hours} hours of theirs, ${tally.steps} steps in ${seconds.toFixed(1)} s, ${perSeed} ms each`,
  );
}
const all = values.mutations ? MUTATIONS.length : values.history === undefined ? seeds.length : 1;
print(`${all - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
