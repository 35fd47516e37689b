/**
 * `npm run test:ha [-- --list | NAME…]`: three coordinators on a PostgreSQL with a synchronous standby, a fleet of light
 * agents, rollouts, and faults one after the other. A NAME is a part of an act's name; only those that hold one of
 * them are played. Prints for each act the longest time in which nobody was given a lease. Closes with `N passed, N
 * failed`; exit status 1 if any failed. Six minutes or so.
 */
import { parseArgs } from "node:util";
import { build } from "../../packaging/bundle/build.ts";
import { installPostgres } from "../harness/postgres/install.ts";
import { chosen, report } from "../harness/suite.ts";
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
  const acts = chosen(ACTS, positionals);
  if (values.list) {
    for (const { name } of acts) print(name);
    return 0;
  }
  if (acts.length === 0) {
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
    for (const act of acts) outcomes.push(await play(stage, act, print));
    outcomes.push(await writes(stage, print));
    if (outcomes.some(({ faults }) => faults.length > 0))
      print((await stage.coordinators.logs()).slice(-8_000));
  } finally {
    await stage.strike();
  }
  const verdicts = outcomes.map(({ name, faults }) => ({ name, fault: faults[0] ?? null }));
  return report("ha-report.json", verdicts, print);
}
