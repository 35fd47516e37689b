/**
 * `npm run test:browser [-- --list | NAME…]`: plays the scenarios in Chromium, against a real coordinator with real
 * agents. A NAME is a part of a scenario's name; only those that hold one of them are played. Closes with
 * `N passed, N failed`, exit status 1 if any failed.
 */
import { parseArgs } from "node:util";
import { build } from "../../packaging/bundle/build.ts";
import { chosen, report, type Verdict } from "../harness/suite.ts";
import { findChromium, launch } from "./chromium.ts";
import { playOne } from "./runner.ts";
import { SCENARIOS } from "./scenarios/all.ts";

const print = (line: string): void => void process.stdout.write(`${line}\n`);

process.exitCode = await main();

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { list: { type: "boolean", default: false } },
    allowPositionals: true,
  });
  const scenarios = chosen(SCENARIOS, positionals);
  if (values.list) {
    for (const { name } of scenarios) print(name);
    return 0;
  }
  if (scenarios.length === 0) {
    process.stderr.write(`No scenario is called like ${positionals.join(", ")}; --list names them.\n`);
    return 2;
  }
  await build();
  const browser = await launch(await findChromium(print));
  const verdicts: Verdict[] = [];
  try {
    for (const one of scenarios) verdicts.push(await playOne(one, browser, print));
  } finally {
    await browser.close();
  }
  return report("browser-report.json", verdicts, print);
}
