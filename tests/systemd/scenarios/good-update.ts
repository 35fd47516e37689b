import assert from "node:assert/strict";
import type { Sampler } from "../../harness/sampler.ts";
import { Fleet, releaseOf, showRollout } from "../fleet/fleet.ts";
import { AGENTS, FIRST_RELEASE, LEADER } from "../fleet/image.ts";
import type { Lab } from "../lab/lab.ts";
import { type Say, scenario } from "../runner.ts";

export const goodUpdate = [
  scenario("update: three nodes one after the other, the leader last, never more than one down", inTurn),
  scenario("update: a workload that ignores SIGTERM is ended in its time, and the update goes on", stubborn),
];

async function inTurn(lab: Lab, say: Say): Promise<void> {
  const fleet = await Fleet.boot(lab);
  const build = await fleet.publish({ variant: "good", version: "1.1.0" });
  const sampler = fleet.sample();
  const started = performance.now();
  const rollout = await fleet.untilOver(await fleet.startRollout("1.1.0"));
  say(`three nodes in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  await sampler.stop();

  assert.equal(rollout.status, "completed", showRollout(rollout));
  for (const { name, status } of rollout.nodes) assert.equal(status, "succeeded", name);
  assert.equal(sampler.mostDown().count, 1, JSON.stringify(sampler.mostDown()));
  for (const { node, fromMs, toMs } of sampler.outages())
    say(`${node} was down for ${Math.round(toMs - fromMs)} ms`);
  assert.equal(sampler.outages().length, 3, "each node was down once");
  assert.deepEqual(sampler.outages().at(-1)?.node, LEADER, "the leader goes last");
  leadershipMoved(sampler);

  for (const name of AGENTS) {
    const node = await fleet.seen(name);
    assert.deepEqual(node.build, build);
    assert.equal(node.behind, false);
    assert.equal(fleet.link(name), releaseOf(build));
    assert.match(fleet.link(name, "dist.bak"), new RegExp(`^releases/${FIRST_RELEASE}-`));
    assert.equal(fleet.machine(name).exists("/var/lib/baton-agent/state/trial"), false);
  }
  assert.equal((await fleet.lease()).holder, null);
  assert.deepEqual(await fleet.openAlerts(), []);
  const log = await fleet.jobLog(rollout.nodes[0]?.jobId ?? "");
  const steps = ["fetch", "reserve", "commit", "swap", "restart", "confirm", "complete"];
  const seen = new Set(log.map((line) => line.step));
  assert.deepEqual(
    steps.filter((step) => !seen.has(step as never)),
    [],
    "the job's log spans the restart",
  );
}

/** Before the leader went down, it had become a follower and another one had taken over. */
function leadershipMoved(sampler: Sampler): void {
  const downAt = sampler.outages().find((outage) => outage.node === LEADER)?.fromMs ?? 0;
  const roleOf = (name: string, beforeMs: number) =>
    sampler.samples(name).findLast((sample) => sample.up && sample.atMs < beforeMs)?.role;
  const others = AGENTS.filter((name) => name !== LEADER);
  assert.equal(roleOf(LEADER, downAt), "follower", "the leader has handed over before it goes down");
  const leading = others.filter((name) => roleOf(name, downAt) === "leader");
  assert.equal(leading.length, 1, "another one has taken over");
  const last = AGENTS.map((name) => roleOf(name, Number.POSITIVE_INFINITY));
  assert.equal(
    last.filter((role) => role === "leader").length,
    1,
    `one leads in the end: ${last.join(", ")}`,
  );
}

/** Longer than this the node must not be down, however stubborn its workload is: `stopMs` of the lab's bundles, and a start. */
const STUBBORN_MS = 5_000;

async function stubborn(lab: Lab): Promise<void> {
  const fleet = await Fleet.boot(lab);
  await fleet.publish({ variant: "workload-ignores-sigterm", version: "1.1.0" });
  const there = await fleet.untilOver(await fleet.startRollout("1.1.0"));
  assert.equal(there.status, "completed", showRollout(there));
  const build = await fleet.publish({ variant: "good", version: "1.2.0" });
  const sampler = fleet.sample();
  const away = await fleet.untilOver(await fleet.startRollout("1.2.0"));
  await sampler.stop();
  assert.equal(away.status, "completed", showRollout(away));
  for (const name of AGENTS) assert.equal(fleet.link(name), releaseOf(build));
  assert.equal(sampler.mostDown().count, 1, JSON.stringify(sampler.mostDown()));
  for (const { node, fromMs, toMs } of sampler.outages())
    assert.ok(toMs - fromMs < STUBBORN_MS, `${node} was down for ${Math.round(toMs - fromMs)} ms`);
}
