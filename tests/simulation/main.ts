/** `npm run test:sim -- --seeds N --from S [--storage memory|sqlite] [--tell] [--shrink]`. */
import { parseArgs } from "node:util";
import { invent } from "./invent.ts";
import { type Outcome, runHistory } from "./run.ts";
import type { StorageKind } from "./storage.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "100" },
    from: { type: "string", default: "1" },
    storage: { type: "string", default: "memory" },
    tell: { type: "boolean", default: false },
  },
});

const from = Number(values.from);
const began = process.cpuUsage();
const seen = new Map<string, number>();
const failures: Outcome[] = [];
let steps = 0;
for (let seed = from; seed < from + Number(values.seeds); seed++) {
  const outcome = await runHistory(invent(seed, values.storage as StorageKind), { isTold: values.tell });
  steps += outcome.steps;
  for (const [what, count] of outcome.seen) seen.set(what, (seen.get(what) ?? 0) + count);
  if (values.tell) console.log(outcome.story.join("\n"));
  if (outcome.failure === null) continue;
  failures.push(outcome);
  console.log(`seed ${seed}: ${outcome.failure.rule}: ${outcome.failure.message} ${outcome.failure.stack}`);
}
const { user, system } = process.cpuUsage(began);
const ms = (user + system) / 1000;
console.log(Object.fromEntries(seen));
console.log(
  `${Number(values.seeds) - failures.length} passed, ${failures.length} failed; ${Math.round(ms / Number(values.seeds))} ms each, ${Math.round(steps / Number(values.seeds))} steps`,
);
process.exitCode = failures.length === 0 ? 0 : 1;
