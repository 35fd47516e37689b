import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import type { Rollout } from "../../../protocol/rollout.ts";
import type { Sampler } from "../../harness/sampler.ts";
import { type Fleet, releaseOf, showRollout } from "../fleet/fleet.ts";
import { bootTwelve, GROUPS, type GroupName } from "../fleet/twelve.ts";
import type { Lab } from "../lab/lab.ts";
import { type Say, scenario } from "../runner.ts";

export const stages = [
  scenario(
    "stages: twelve nodes as four groups, halted by two that fail, retried to the end; a failing stage takes itself back",
    halvesAndHalts,
    { timeoutMs: 400_000 },
  ),
];

const POLICY = { stages: [0.1, 0.5, 1], concurrency: 2, pauseMs: 1_000, seed: 1 };
const EVERYBODY = { all: true } as const;

async function halvesAndHalts(lab: Lab, say: Say): Promise<void> {
  const fleet = await bootTwelve(lab);
  await twoThatFail(fleet, say);
  await takesItselfBack(fleet, say);
}

/** 10/50/100 of twelve nodes in whole groups are one group, one more, and two at once. */
async function twoThatFail(fleet: Fleet, say: Say): Promise<void> {
  const build = await fleet.publish({ variant: "unwell-where-marked", version: "1.1.0" });
  const sampler = fleet.sample();
  const started = performance.now();
  const begun = await fleet.start({ selection: EVERYBODY, release: "1.1.0", policy: POLICY });
  assert.deepEqual(
    begun.stages.map((stage) => stage.nodes),
    [3, 3, 6],
  );
  const second = followerOf(begun, 1);
  const third = followerOf(begun, 2);
  for (const name of [second, third]) mark(fleet, name);

  const halted = await fleet.untilOver(begun.id, 120_000);
  assert.equal(halted.status, "halted", showRollout(halted));
  assert.equal(place(halted, second).status, "rolled-back", showRollout(halted));
  assert.deepEqual(statuses(halted, 0), ["succeeded", "succeeded", "succeeded"], "the first stage is done");
  assert.ok(statuses(halted, 2).every((status) => status === "pending"));
  say(`halted in stage 2: ${halted.reason?.message ?? ""}`);

  unmark(fleet, second);
  await fleet.tell(begun.id, "retry");
  const again = await fleet.untilOver(begun.id, 120_000);
  assert.equal(again.status, "halted", showRollout(again));
  assert.equal(place(again, third).status, "rolled-back", showRollout(again));
  assert.deepEqual(statuses(again, 1), ["succeeded", "succeeded", "succeeded"], "the second stage is done");

  unmark(fleet, third);
  await fleet.tell(begun.id, "retry");
  const done = await fleet.untilOver(begun.id, 120_000);
  await sampler.stop();
  assert.equal(done.status, "completed", showRollout(done));
  assert.ok(done.nodes.every((node) => node.status === "succeeded"));
  say(`twelve nodes, with two halts, in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  for (const { name } of done.nodes) assert.equal(fleet.link(name), releaseOf(build));
  assertTwoGroupsAtMost(sampler);
  assert.deepEqual(await fleet.openAlerts(), []);
}

/** The first group goes, the second fails: with `rollback` every node that was moved is back where it was. */
async function takesItselfBack(fleet: Fleet, say: Say): Promise<void> {
  const before = new Map(fleet.nodes.map(({ name }) => [name, fleet.link(name)]));
  await fleet.publish({ variant: "unwell-where-marked", version: "1.2.0" });
  const policy = { ...POLICY, onFailure: "rollback" as const };
  const sampler = fleet.sample();
  const begun = await fleet.start({ selection: EVERYBODY, release: "1.2.0", policy });
  mark(fleet, followerOf(begun, 1));
  const halted = await fleet.untilOver(begun.id, 120_000);
  assert.equal(halted.status, "halted", showRollout(halted));
  assert.ok(halted.rolledBackBy !== null, "another rollout takes it back");
  const back = await fleet.untilOver(halted.rolledBackBy, 120_000);
  await sampler.stop();
  assert.equal(back.status, "completed", showRollout(back));
  assert.equal(back.kind, "rollback");
  const moved = halted.nodes.filter((node) => node.status === "succeeded").map((node) => node.name);
  assert.ok(moved.length >= 3);
  say(`taken back: ${moved.join(", ")}`);
  for (const [name, link] of before) assert.equal(fleet.link(name), link, `${name} is back`);
  assertTwoGroupsAtMost(sampler);
}

/** Never two of a group, and never more than two groups at once. */
function assertTwoGroupsAtMost(sampler: Sampler): void {
  const outages = sampler.outages();
  for (const { fromMs } of outages) {
    const down = outages.filter((other) => other.fromMs <= fromMs && fromMs < other.toMs);
    const groups = down.map(({ node }) => groupOf(node));
    assert.equal(new Set(groups).size, groups.length, `two of a group were down: ${JSON.stringify(down)}`);
    assert.ok(groups.length <= 2, `more than two groups were at work: ${JSON.stringify(down)}`);
  }
}

function groupOf(node: string): string {
  const found = (Object.keys(GROUPS) as GroupName[]).find((group) =>
    (GROUPS[group] as readonly string[]).includes(node),
  );
  assert.ok(found !== undefined, node);
  return found;
}

const statuses = ({ nodes }: Rollout, stage: number) =>
  nodes.filter((node) => node.stage === stage).map((node) => node.status);

function place({ nodes }: Rollout, name: string) {
  const found = nodes.find((node) => node.name === name);
  assert.ok(found !== undefined, name);
  return found;
}

/** Whoever goes first of a stage is no leader. */
function followerOf({ nodes }: Rollout, stage: number): string {
  const [first] = nodes.filter((node) => node.stage === stage);
  assert.ok(first !== undefined);
  return first.name;
}

const UNWELL = "/var/lib/baton-agent/workload/unwell";
const mark = (fleet: Fleet, name: string): void => fleet.machine(name).write(UNWELL, "");
const unmark = (fleet: Fleet, name: string): void => rmSync(fleet.machine(name).outside(UNWELL));
