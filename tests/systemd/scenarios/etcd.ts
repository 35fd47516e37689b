import assert from "node:assert/strict";
import { readFromEtcd, writeToEtcd } from "../fleet/etcd-writer.ts";
import { Fleet, releaseOf, showRollout } from "../fleet/fleet.ts";
import { AGENTS, GROUP, LEADER } from "../fleet/image.ts";
import { ADDRESSES, type Lab } from "../lab/lab.ts";
import { type Say, scenario } from "../runner.ts";

export const etcd = [
  scenario(
    "etcd: a cluster of three is rolled under a writer, no acknowledged write is lost, the leader hands over and goes last",
    underAWriter,
    { timeoutMs: 240_000 },
  ),
];

async function underAWriter(lab: Lab, say: Say): Promise<void> {
  const fleet = await Fleet.boot(lab);
  await bringUpEtcd(fleet);
  const build = await fleet.publish({ variant: "good", version: "1.2.0", workload: "etcd" });
  const leader = await leaderOf(fleet);
  const writer = writeToEtcd(AGENTS.map((name) => `http://${ADDRESSES[name]}:2379`));
  const started = performance.now();
  const rollout = await fleet.untilOver(await fleet.startRollout("1.2.0"), 120_000);
  const seconds = (performance.now() - started) / 1000;
  const written = await writer.stop();

  assert.equal(rollout.status, "completed", showRollout(rollout));
  for (const name of AGENTS) assert.equal(fleet.link(name), releaseOf(build));
  const ends = rollout.nodes.map(({ name, endedAt }) => ({ name, endedAt: endedAt ?? 0 }));
  const last = ends.sort((a, b) => a.endedAt - b.endedAt).at(-1);
  assert.equal(last?.name, leader, `${leader} led when it began, so it goes last`);
  const log = await fleet.jobLog(rollout.nodes.find(({ name }) => name === leader)?.jobId ?? "");
  const moved = log.find((line) => line.step === "handover" && line.text.includes("leadership went to"));
  assert.ok(moved !== undefined, "the leader's log tells of the handover");
  assert.notEqual(await leaderOf(fleet), leader);

  assert.ok(written.acknowledged.length > 50, `only ${written.acknowledged.length} writes were acknowledged`);
  const there = await readFromEtcd(`http://${ADDRESSES.n1}:2379`, written.acknowledged.length);
  const lost = written.acknowledged.filter((value, index) => there[index] !== value);
  assert.deepEqual(lost, [], "acknowledged writes that are not there");
  say(
    `${written.acknowledged.length} writes acknowledged in ${seconds.toFixed(1)} s, none lost, ${written.refused} refused`,
  );
  say(`longest gap between two acknowledged writes: ${Math.round(written.longestGapMs)} ms`);
  say(moved.text);
}

/** By the runbook: while they stand for themselves, all three move to the first build that has a quorum of its own. */
async function bringUpEtcd(fleet: Fleet): Promise<void> {
  await fleet.publish({ variant: "good", version: "1.1.0", workload: "etcd" });
  await fleet.baton(["groups", "edit", GROUP, "--mode", "independent"]);
  await stepDown(fleet);
  const begun = await fleet.start({
    selection: { groups: [GROUP] },
    release: "1.1.0",
    policy: { stages: [1], concurrency: 3 },
  });
  const rollout = await fleet.untilOver(begun.id);
  assert.equal(rollout.status, "completed", showRollout(rollout));
  await fleet.baton(["groups", "edit", GROUP, "--mode", "quorum"]);
  await fleet.untilServing(AGENTS);
}

/** Of the service that runs before etcd: with all three on their way at once there is nobody to hand over to. */
async function stepDown(fleet: Fleet): Promise<void> {
  const leader = `http://${ADDRESSES[LEADER]}:8080/follow`;
  assert.ok((await fetch(leader, { method: "POST", body: '{"term":2}' })).ok);
  await fleet.untilSeen(LEADER, "following", (node) => node.health?.role === "follower");
}

/** As the coordinator hears it. */
async function leaderOf(fleet: Fleet): Promise<string> {
  const seen = await Promise.all(AGENTS.map((name) => fleet.seen(name)));
  const leading = seen.filter((node) => node.health?.role === "leader").map((node) => node.name);
  assert.equal(leading.length, 1, `one leads: ${leading.join(", ")}`);
  return leading[0] ?? "";
}
