/**
 * `npm run demo`: a coordinator and three agents as real processes on this machine, a good release and a bad one.
 * Exit status 0 only if everything that it tells was verified. `--keep` leaves it running.
 */
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import pc from "picocolors";
import { build } from "../../packaging/bundle/build.ts";
import { showBuild } from "../../protocol/build.ts";
import type { RolloutPlan } from "../../protocol/plan.ts";
import type { Rollout, RolloutSummary } from "../../protocol/rollout.ts";
import { Fleet, until } from "./fleet.ts";
import { dryRun, sameByHand, start } from "./same-by-hand.ts";

const NAMES = ["anna", "bert", "cleo"];
const GROUP = "demo";
const keep = process.argv.includes("--keep");

const began = performance.now();
const say = (text: string): void => {
  const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(5);
  console.log(`\n${pc.dim(`${seconds} s`)}  ${pc.bold(text)}`);
};

const fleet = new Fleet(await mkdtemp(join(tmpdir(), "baton-demo-")));
async function play(): Promise<void> {
  await build();
  say("Keys for a publisher, and a coordinator that holds none of those that sign code");
  await fleet.startCoordinator();
  say("Three nodes that vote, cleo leads. Each runs release 1.0.0 under the guard");
  await fleet.startNodes(NAMES, GROUP, await fleet.bundle("1.0.0", "good"));

  say("Release 1.1.0 is published and rolled out: one at a time, the leader last");
  const bundle = await fleet.bundle("1.1.0", "good");
  await fleet.baton(["publish", bundle]);
  const good = await rollOut("1.1.0", 0);
  expect(good.status === "completed", `the rollout of 1.1.0 is ${good.status}`);
  for (const node of await fleet.list()) {
    expect(node.build?.version === "1.1.0" && node.serving, `${node.name} does not serve with 1.1.0`);
  }
  expect(lastUpdated(good) === "cleo", `the leader was not the last, but ${lastUpdated(good)}`);

  say("Release 1.2.0 is published. It passes its self-test, but cannot start");
  await fleet.baton(["publish", await fleet.bundle("1.2.0", "broken")]);
  const bad = await rollOut("1.2.0", 3);
  expect(bad.status === "halted", `the rollout of 1.2.0 is ${bad.status}`);
  const back = bad.nodes.filter((node) => node.status === "rolled-back");
  expect(back.length === 1, `${back.length} nodes went back instead of one`);
  // Back on the old build, it says so at once, and serves as soon as its workload has started.
  await until("all nodes to serve", async () => (await fleet.list()).every((node) => node.serving));
  for (const node of await fleet.list()) {
    expect(node.build?.version === "1.1.0" && node.serving, `${node.name} does not serve with 1.1.0`);
    const quarantined = node.quarantine.some(({ build: { version } }) => version === "1.2.0");
    expect(
      quarantined === (node.id === back[0]?.nodeId),
      `${node.name}: the quarantine of 1.2.0 is not as it should be`,
    );
  }
  await closingTable(good, bad);
  tellHowElse(good, bundle);
  say(`Verified. ${((performance.now() - began) / 1000).toFixed(0)} seconds in all.`);
}

async function rollOut(version: string, code: number): Promise<Rollout> {
  const plan = JSON.parse((await fleet.baton([...dryRun([GROUP], version), "--json"])).out) as RolloutPlan;
  const ended = await fleet.baton([...start([GROUP], version, plan.hash), "--timeout", "60"], {
    show: true,
    mayFail: true,
  });
  expect(ended.code === code, `the rollout of ${version} ended with exit status ${ended.code}, not ${code}`);
  const list = JSON.parse((await fleet.baton(["rollout", "list", "--json"])).out) as RolloutSummary[];
  const id = list.find(({ release }) => release === version)?.id;
  const rollout =
    id === undefined
      ? undefined
      : (JSON.parse((await fleet.baton(["rollout", "status", id, "--json"])).out) as Rollout);
  if (rollout === undefined) throw new Error(`There is no rollout of ${version}.`);
  return rollout;
}

const lastUpdated = (rollout: Rollout): string | undefined =>
  rollout.nodes.toSorted((a, b) => (b.endedAt ?? 0) - (a.endedAt ?? 0))[0]?.name;

async function closingTable(...rollouts: readonly Rollout[]): Promise<void> {
  say("What happened");
  const nodes = await fleet.list();
  console.log(
    ["NODE", "RUNS", "RELEASE", "WHAT HAPPENED", "SECONDS"]
      .map((word, at) => pc.dim(word.padEnd(WIDTHS[at] ?? 0)))
      .join(""),
  );
  for (const rollout of rollouts) {
    for (const { nodeId, name, status, startedAt, endedAt } of rollout.nodes) {
      const runs = nodes.find(({ id }) => id === nodeId)?.build;
      const seconds = startedAt === null || endedAt === null ? "" : ((endedAt - startedAt) / 1000).toFixed(1);
      const what =
        {
          succeeded: pc.green("updated"),
          "rolled-back": pc.red("went back by itself"),
          pending: "untouched",
          skipped: "untouched",
        }[status as string] ?? status;
      const cells = [name, runs ? showBuild(runs) : "unknown", rollout.release, what, seconds];
      console.log(
        cells
          .map(
            (cell, at) =>
              cell + " ".repeat(Math.max(0, (WIDTHS[at] ?? 0) - stripVTControlCharacters(cell).length)),
          )
          .join(""),
      );
    }
  }
}

const WIDTHS = [8, 20, 10, 22, 8];

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

function tellHowElse(rollout: Rollout, bundle: string): void {
  const { baton, mcp } = sameByHand(rollout, bundle);
  say("The same from a terminal, as was done here");
  for (const args of baton) console.log(`  baton ${args.join(" ")}`);
  say("The same by an assistant, which calls these tools of `baton mcp`");
  for (const { name, arguments: given } of mcp) console.log(`  ${name} ${JSON.stringify(given)}`);
}

async function tellHowToLook(): Promise<void> {
  const { BATON_URL, BATON_TOKEN_FILE } = fleet.env;
  console.log(`
It goes on running until you press Ctrl-C. The dashboard, signed in by this address once:

  ${await fleet.signInLink()}

In another terminal:

  export BATON_URL=${BATON_URL} BATON_TOKEN_FILE=${BATON_TOKEN_FILE}
  alias baton='${process.execPath} ${join(import.meta.dirname, "../../build/baton/baton.mjs")}'
  baton nodes list
  baton lease show ${GROUP}
  curl ${BATON_URL}/openapi.json

Logs: ${fleet.nodes.map(({ home }) => join(home, "journal.log")).join(" ")}`);
}

let failed = true;
try {
  await play();
  failed = false;
} catch (error) {
  console.error(pc.red(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`));
  console.error(await fleet.logs());
}
if (keep && !failed) {
  await tellHowToLook();
  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
}
await fleet.stop({ keep: failed });
process.exitCode = failed ? 1 : 0;
