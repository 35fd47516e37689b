import assert from "node:assert/strict";
import { Fleet, releaseOf } from "../fleet/fleet.ts";
import { AGENTS } from "../fleet/image.ts";
import type { Lab } from "../lab/lab.ts";
import type { RenameStop } from "../lab/rename-stop.ts";
import { type Say, scenario } from "../runner.ts";
import {
  AGENT_UNIT,
  alertsOf,
  assertAllOn,
  assertLeaderLast,
  assertNeverTwoDown,
  auditOf,
  runningOn,
  untilDist,
  untilEnded,
  untilInFlight,
  untilLeaseIsFree,
  untilStatus,
} from "./watching.ts";
import { withholdConfirms } from "./withheld.ts";

/** Where the plug of a node is pulled: by the rename that is about to happen, or has just happened. */
type Point = {
  readonly name: string;
  readonly side: "before" | "after";
  readonly onto: RegExp;
  readonly flipped: boolean;
};

const POINTS: readonly Point[] = [
  { name: "before the flip", side: "before", onto: /\/dist\.bak$/, flipped: false },
  { name: "at the flip", side: "before", onto: /\/dist$/, flipped: false },
  { name: "right after the flip", side: "after", onto: /\/dist$/, flipped: true },
];

/** A node that dies in the middle comes back and settles, and its lease returns by itself. */
export const nodeCrash = [
  ...POINTS.map((point) =>
    scenario(`node crash: killed ${point.name}, it settles and the rollout goes on`, (lab, say) =>
      killedAtRename(lab, say, point),
    ),
  ),
  scenario("node crash: killed in probation, it settles and the rollout goes on", killedInProbation),
];

async function killedAtRename(lab: Lab, say: Say, point: Point): Promise<void> {
  const fleet = await Fleet.boot(lab);
  const first = await runningOn(fleet, "n1");
  const build = await fleet.publish({ variant: "good", version: "1.1.0" });
  const sampler = fleet.sample();
  const n1 = fleet.machine("n1");
  const returnsBefore = await returnsOf(fleet, "n1");
  const stop: RenameStop = await n1.stopAtRenames(AGENT_UNIT);
  lab.defer(() => stop.detach());
  const id = await fleet.startRollout("1.1.0");
  await stop.at(point.side, point.onto);
  await n1.kill();
  await stop.detach();
  assert.equal(fleet.link("n1"), releaseOf(point.flipped ? build : first));

  await staysInFlight(fleet, "n1");
  const down = performance.now();
  await n1.boot();
  await untilEnded(fleet, id, "completed");
  say(`all done ${((performance.now() - down) / 1000).toFixed(1)} s after its boot began`);
  await untilLeaseIsFree(fleet);
  await assertAllOn(fleet, build);
  await assertNeverTwoDown(sampler);
  await assertLeaderLast(sampler, "1.1.0");
  const returns = (await returnsOf(fleet, "n1")).slice(returnsBefore.length);
  assert.deepEqual(returns, point.flipped ? ["confirmed"] : ["not-acted", "confirmed"]);
  assert.deepEqual(await alertsOf(fleet, "update_failed"), []);
  assert.deepEqual(await fleet.openAlerts(), [], "that it was offline is over");
}

async function killedInProbation(lab: Lab): Promise<void> {
  const fleet = await Fleet.boot(lab, { proxied: true });
  const build = await fleet.publish({ variant: "good", version: "1.1.0" });
  const confirms = withholdConfirms(fleet);
  const sampler = fleet.sample();
  const id = await fleet.startRollout("1.1.0");
  const { name, token } = await untilInFlight(fleet);
  const node = fleet.machine(name);
  await untilDist(fleet, name, build);
  await untilStatus(node, "probation", ({ update }) => update.state === "probation");
  await node.kill();
  await staysInFlight(fleet, name);
  await node.boot();
  await untilStatus(node, "probation", ({ update }) => update.state === "probation");
  assert.equal((await fleet.lease()).holder?.token, token, "one lease for all of it");
  confirms.letThrough(...AGENTS);
  await untilEnded(fleet, id, "completed");
  await untilLeaseIsFree(fleet);
  await assertAllOn(fleet, build);
  await assertNeverTwoDown(sampler);
  assert.deepEqual(await alertsOf(fleet, "update_failed"), []);
}

/** By what proof each lease of a node came back, the first one first. */
async function returnsOf(fleet: Fleet, name: string): Promise<readonly string[]> {
  const entries = await auditOf(fleet, "lease.returned");
  return entries.toReversed().flatMap(({ before, after }) => {
    const { node } = before as { readonly node: string };
    return node === name ? [(after as { readonly proof: string }).proof] : [];
  });
}

/** Nobody else is let go while a node is gone in flight, however long the coordinator has missed it. */
async function staysInFlight(fleet: Fleet, name: string): Promise<void> {
  await fleet.untilSeen(name, "offline", (node) => node.presence === "offline");
  const { holder } = await fleet.lease();
  assert.equal(holder?.nodeName, name);
  assert.equal(holder.phase, "in-flight");
}
