/**
 * `npm run test:ha [-- --list | NAME…]`: three coordinators on a PostgreSQL with a synchronous standby, a fleet of light
 * agents, rollouts, and faults one after the other. A NAME is a part of an act's name; only those that hold one of
 * them are played. Prints for each act the longest time in which nobody was given a lease. Closes with `N passed, N
 * failed`; exit status 1 if any failed. Six minutes or so.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "../../packaging/bundle/build.ts";
import { installPostgres } from "../harness/postgres/install.ts";
import { ACTS } from "./acts.ts";
import { type Outcome, play } from "./play.ts";
import { Stage } from "./stage.ts";
import { writes } from "./writes.ts";

const print = (line: string): void => void process.stdout.write(`${line}\n`);

process.exitCode = await main();

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { list: { type: "boolean", default: false } },
    allowPositionals: true,
  });
  const chosen = ACTS.filter(
    ({ name }) => positionals.length === 0 || positionals.some((part) => name.includes(part)),
  );
  if (values.list) {
    for (const { name } of chosen) print(name);
    return 0;
  }
  if (chosen.length === 0) {
    process.stderr.write(`No act is called like ${positionals.join(", ")}; --list names them.\n`);
    return 2;
  }
  await installPostgres(print);
  await build();
  const stage = await Stage.set();
  const stop = (): void => void stage.strike().finally(() => process.exit(1));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);
  const outcomes: Outcome[] = [];
  try {
    for (const act of chosen) outcomes.push(await play(stage, act, print));
    outcomes.push(await writes(stage, print));
    if (outcomes.some(({ faults }) => faults.length > 0))
      print((await stage.coordinators.logs()).slice(-8_000));
  } finally {
    await stage.strike();
  }
  const failed = outcomes.filter(({ faults }) => faults.length > 0).length;
  const counts = { passed: outcomes.length - failed, failed: failed + (chosen.length + 1 - outcomes.length) };
  report(counts);
  return counts.failed === 0 ? 0 : 1;
}

/** Also for `tests/tally.ts`, which adds the other suites. */
function report(counts: { readonly passed: number; readonly failed: number }): void {
  const dir = join(import.meta.dirname, "../../build");
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "ha-report.json"), `${JSON.stringify(counts)}\n`);
  print(`${counts.passed} passed, ${counts.failed} failed`);
}
