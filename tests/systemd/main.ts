/**
 * `npm run test:systemd [-- --list | --keep | NAME…]`: plays the scenarios on real systemd, as root. A NAME is a
 * part of a scenario's name; only those that hold one of them are played. `--keep` leaves the nodes of
 * the first failed scenario, or of the last, running until interrupted. Closes with `N passed, N failed`, exit status 1 if any failed.
 */
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chosen, notPlayed, report } from "../harness/suite.ts";
import { enterNamespaces, isInside } from "./enter.ts";
import { sweepCgroups } from "./lab/cgroup.ts";
import { closeSite, type Lab, openSite } from "./lab/lab.ts";
import { installPrerequisites } from "./prerequisites.ts";
import { runScenarios, type Scenario, showFault } from "./runner.ts";
import { SCENARIOS } from "./scenarios/all.ts";

const print = (line: string): void => void process.stdout.write(`${line}\n`);

process.exitCode = await main();

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { list: { type: "boolean", default: false }, keep: { type: "boolean", default: false } },
    allowPositionals: true,
  });
  const scenarios = chosen(SCENARIOS, positionals);
  if (values.list) {
    for (const one of scenarios) print(one.name);
    return 0;
  }
  if (scenarios.length === 0) {
    process.stderr.write(`No scenario is called like ${positionals.join(", ")}; --list names them.\n`);
    return 2;
  }
  if (process.getuid?.() !== 0) {
    process.stderr.write("The lab mounts file systems and starts containers: run it as root.\n");
    return 2;
  }
  if (isInside()) return await play(scenarios, values.keep);
  sweep();
  await installPrerequisites(print);
  return await enterNamespaces();
}

async function play(scenarios: readonly Scenario[], keep: boolean): Promise<number> {
  const directory = join(tmpdir(), `baton-lab-${process.env.LAB_ID}`);
  const stop = new AbortController();
  process.on("SIGINT", () => stop.abort()).on("SIGTERM", () => stop.abort());
  mkdirSync(directory, { recursive: true });
  const site = await openSite(directory);
  try {
    const outcomes = await runScenarios(scenarios, {
      site,
      print,
      signal: stop.signal,
      ...(keep ? { beforeClose: (lab: Lab) => kept(lab, stop.signal) } : {}),
    });
    const verdicts = outcomes.map(({ name, fault }) => ({
      name,
      fault: fault === undefined ? null : showFault(fault),
    }));
    return report("lab-report.json", [...verdicts, ...notPlayed(scenarios, outcomes.length)], print);
  } finally {
    await closeSite(site);
  }
}

/** Says how to look at the nodes, and waits for an interrupt. */
async function kept(lab: Lab, signal: AbortSignal): Promise<void> {
  for (const node of lab.nodes) if (node.running) print(`${node.name}: ${lab.shellCommand(node)}`);
  print("kept running; interrupt with Ctrl-C to end the lab");
  if (!signal.aborted)
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}

/** Removes what a run left that was killed before it could: directories and empty control groups. */
function sweep(): void {
  const isStale = (name: string) => {
    const pid = /^baton-lab-(\d+)(-|$)/.exec(name)?.[1];
    return pid !== undefined && !lives(Number(pid));
  };
  for (const name of readdirSync(tmpdir())) {
    if (isStale(name)) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
  sweepCgroups(isStale);
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
