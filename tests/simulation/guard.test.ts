/**
 * The simulation's guard is the real one's twin: on two directories that are alike, the shell program and the twin leave
 * the same behind and say the same.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { realDisk } from "../../agent/effects/disk.ts";
import { NodeTree, newBuild, newHash, oldBuild } from "../packaging/node-tree.ts";
import { guardDeadline, guardStart, guardStop } from "./guard.ts";

type Case = {
  readonly what: string;
  readonly tries?: number;
  readonly refunds?: number;
  readonly stopRequested?: boolean;
  /** How far going back had come: the quarantine entry is in place, and the verdict. */
  readonly begun?: "no" | "condemned" | "judged";
  readonly damage?: (tree: NodeTree) => void;
};

const ORDINARY: readonly Case[] = [0, 2].flatMap((tries) =>
  [0, 1].flatMap((refunds) =>
    [true, false].flatMap((stopRequested) =>
      (["no", "condemned", "judged"] as const).map((begun) => ({
        what: `tries ${tries}, refunds ${refunds}, stopped ${stopRequested}, back ${begun}`,
        tries,
        refunds,
        stopRequested,
        begun,
      })),
    ),
  ),
);

const inState = (tree: NodeTree, path: string) => join(tree.state, path);
const gone = (path: string) => (tree: NodeTree) => rmSync(inState(tree, path), { recursive: true });
const says = (name: string, text: string) => (tree: NodeTree) => tree.writeTrial(name, text);

const ODD: readonly Case[] = [
  { what: "there is no trial", damage: gone("state/trial") },
  { what: "the trial is a file", damage: (tree) => becomesFile(tree, "state/trial") },
  { what: "the format is another", damage: says("format", "2\n") },
  { what: "there is no format", damage: gone("state/trial/format") },
  { what: "to is empty", damage: says("to", "") },
  { what: "to leads elsewhere", damage: says("to", "releases/../../etc\n") },
  { what: "from is to", damage: says("from", `${newBuild}\n`) },
  { what: "dist names the old build", damage: (tree) => tree.pointDist(oldBuild) },
  { what: "it was ready", damage: says("ready", "") },
  { what: "the hash is none", tries: 0, damage: says("to-hash", "x y\n") },
  { what: "there is no entry for the quarantine", tries: 0, damage: gone("state/trial/quarantine") },
  { what: "there is no quarantine", tries: 0, damage: gone("state/quarantine") },
  { what: "there is no verdict", tries: 0, damage: gone("state/trial/verdict") },
  { what: "there is no link back", tries: 0, damage: gone("state/trial/back") },
  { what: "the link back leads elsewhere", tries: 0, damage: pointsBackElsewhere },
  { what: "there is nothing to go back to", tries: 0, damage: gone(`${oldBuild}/.complete`) },
  { what: "there are no tries at all", damage: gone("state/trial/tries") },
];

test.each([...ORDINARY, ...ODD])("starts as the real one does: $what", async (given) => {
  using real = laid(given);
  using played = laid(given);
  const { stderr } = await real.guard("start");
  const said: string[] = [];
  await guardStart({ disk: realDisk, root: played.state, say: (code) => said.push(code) });
  expect(said).toEqual(codesIn(stderr));
  expect(seenOn(played)).toEqual(seenOn(real));
});

test.each(["ready", "nothing"])("stops as the real one does when the trial has %s", async (name) => {
  const given = { what: "", damage: says(name, "") };
  using real = laid(given);
  using played = laid(given);
  await real.guard("stop", { env: { MAINPID: "4711" } });
  await guardStop({ disk: realDisk, root: played.state, say: () => undefined });
  expect(seenOn(played)).toEqual(seenOn(real));
});

test.each<[string, number, string, Partial<Case>, boolean]>([
  ["its time is over", 122, newBuild, {}, true],
  ["it has some time left", 110, newBuild, {}, false],
  ["it may take longer", 122, newBuild, { damage: says("budget-ms", "95000\n") }, false],
  ["what it may take is no number", 122, newBuild, { damage: says("budget-ms", "soon\n") }, true],
  ["the old build still runs", 122, oldBuild, {}, false],
  ["it is being stopped", 122, newBuild, { stopRequested: true }, false],
  ["there is nothing to go back to", 122, newBuild, { damage: gone(`${oldBuild}/.complete`) }, false],
])("ends a start as the real one does: %s", async (what, lastedS, build, more, isKilled) => {
  using real = laid({ what, ...more });
  using played = laid({ what, ...more });
  const child = spawn("sleep", ["600"], { stdio: "ignore" });
  const ended = once(child, "exit");
  const up = Math.floor(Number.parseFloat(readFileSync("/proc/uptime", "utf8")));
  const release = build.slice("releases/".length);
  real.processRecord = `${child.pid} ${up - lastedS} 0 ${release}`;
  const { stderr } = await real.guard("deadline");
  child.kill("SIGTERM");
  const [, signal] = (await ended) as [number | null, NodeJS.Signals | null];
  const said: string[] = [];
  const world = { disk: realDisk, root: played.state, say: (code: string) => said.push(code) };
  expect(await guardDeadline(world, { uptimeSeconds: up - lastedS, release }, up)).toBe(isKilled);
  expect(signal).toBe(isKilled ? "SIGKILL" : "SIGTERM");
  expect(said).toEqual(codesIn(stderr));
  expect(seenOn(played)).toEqual(seenOn(real));
});

function laid({ tries = 2, refunds = 1, stopRequested = false, begun = "no", damage }: Case): NodeTree {
  const tree = new NodeTree().onProbation({ tries, refunds });
  if (stopRequested) tree.writeTrial("stop-requested", "");
  if (begun !== "no") writeFileSync(inState(tree, `state/quarantine/${newHash}`), '{"by":"agent"}');
  if (begun === "judged") writeFileSync(inState(tree, "state/verdict"), '{"by":"agent"}');
  damage?.(tree);
  return tree;
}

function becomesFile(tree: NodeTree, path: string): void {
  gone(path)(tree);
  writeFileSync(inState(tree, path), "");
}

function pointsBackElsewhere(tree: NodeTree): void {
  gone("state/trial/back")(tree);
  symlinkSync(newBuild, inState(tree, "state/trial/back"));
}

const codesIn = (stderr: string): string[] =>
  [...stderr.matchAll(/^agent-guard: ([a-z-]+): /gm)].map(([, code = ""]) => code);

/** Every name with what it is. */
function seenOn(tree: NodeTree): Readonly<Record<string, string>> {
  const names = readdirSync(tree.state, { recursive: true, encoding: "utf8" }).sort();
  return Object.fromEntries(names.map((name) => [name, whatIs(inState(tree, name))]));
}

function whatIs(path: string): string {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return `-> ${readlinkSync(path)}`;
  return stat.isDirectory() ? "directory" : readFileSync(path, "utf8");
}
