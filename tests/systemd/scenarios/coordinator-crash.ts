import assert from "node:assert/strict";
import { Fleet } from "../fleet/fleet.ts";
import { AGENTS } from "../fleet/image.ts";
import type { Lab } from "../lab/lab.ts";
import { until } from "../lab/until.ts";
import { type Say, scenario } from "../runner.ts";
import {
  assertAllOn,
  assertLeaderLast,
  assertNeverTwoDown,
  assertNoFalseAlarm,
  untilEnded,
  untilInFlight,
  untilLeaseIsFree,
} from "./watching.ts";

export const coordinatorCrash = [
  scenario(
    "coordinator: killed twice in the middle of a rollout, it goes on and raises no false alarm",
    killedTwice,
  ),
];

async function killedTwice(lab: Lab, say: Say): Promise<void> {
  const fleet = await Fleet.boot(lab);
  const build = await fleet.publish({ variant: "good", version: "1.1.0" });
  const sampler = fleet.sample();
  const sampledSince = Date.now();
  const id = await fleet.startRollout("1.1.0");

  const first = await untilInFlight(fleet);
  await killCoordinator(fleet);
  say(`killed while ${first.name} was in flight, back in ${await untilBack(fleet)}`);
  const second = await untilInFlight(fleet, [first.name]);
  assert.ok(second.token > first.token, "a token is never given twice");
  await killCoordinator(fleet);
  say(`killed while ${second.name} was in flight, back in ${await untilBack(fleet)}`);

  const rollout = await untilEnded(fleet, id, "completed");
  assert.deepEqual(
    rollout.nodes.map((node) => node.status),
    ["succeeded", "succeeded", "succeeded"],
  );
  await untilLeaseIsFree(fleet);
  await assertAllOn(fleet, build);
  await assertNeverTwoDown(sampler);
  await assertLeaderLast(sampler, "1.1.0");
  await assertNoFalseAlarm(fleet, sampler, sampledSince);
  assert.equal((await fleet.c1.unit("baton-coordinator")).restarts, 2);
}

const killCoordinator = async (fleet: Fleet): Promise<void> => {
  await fleet.c1.systemctl("kill", "--signal=SIGKILL", "baton-coordinator");
};

/** Waits for the restart by systemd, and until every node was heard, of whom none was given up meanwhile. */
async function untilBack(fleet: Fleet): Promise<string> {
  const begun = performance.now();
  await until(() => fleet.lease(), { what: "coordinator that answers again", everyMs: 20 });
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  const before = new Set<string>();
  const heard = async () => {
    const presences = await Promise.all(AGENTS.map(async (name) => (await fleet.seen(name)).presence));
    for (const presence of presences) before.add(presence);
    return presences.every((presence) => presence === "online");
  };
  await until(heard, { what: "all nodes heard by the new coordinator", everyMs: 20 });
  assert.equal(before.has("offline"), false, "a node was called offline that only was not heard yet");
  return `${seconds} s`;
}
