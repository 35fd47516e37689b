import assert from "node:assert/strict";
import { QuarantineEntry } from "../../../protocol/journal.ts";
import { parseJson } from "../../../protocol/parse.ts";
import { Fleet } from "../fleet/fleet.ts";
import { AGENTS } from "../fleet/image.ts";
import type { Lab } from "../lab/lab.ts";
import type { Node } from "../lab/node.ts";
import { until } from "../lab/until.ts";
import { type Say, scenario } from "../runner.ts";
import {
  alertsOf,
  assertAllOn,
  assertNeverTwoDown,
  assertNoFalseAlarm,
  runningOn,
  statusOf,
  untilDist,
  untilEnded,
  untilInFlight,
  untilLeaseIsFree,
  untilStatus,
} from "./watching.ts";

/** The network goes away where it hurts. */
export const network = [
  scenario("network: cut in the middle of a download, which goes on from there", cutDownload),
  scenario("network: cut in probation, the node goes back and the build is to blame", cutInProbation),
  scenario(
    "network: the coordinator is down in probation, nobody is to blame and it is tried again",
    coordinatorAway,
  ),
];

const TARGETS = /^\/tuf\/targets\//;
const CUT_AFTER = 6_000_000;

async function cutDownload(lab: Lab, say: Say): Promise<void> {
  const fleet = await Fleet.boot(lab, { proxied: true });
  const build = await fleet.publish({ variant: "good", version: "1.1.0", ballastBytes: 10_000_000 });
  const n1 = fleet.machine("n1");
  const asked = () => fleet.proxy.requests.filter((one) => one.from === n1.address && TARGETS.test(one.path));
  fleet.proxy.inflict({ do: "reset", path: TARGETS, from: n1.address, afterBytes: CUT_AFTER, times: 1 });
  const id = await fleet.startRollout("1.1.0");
  await until(() => asked().some((one) => one.bytes >= CUT_AFTER), { what: "download of n1", everyMs: 10 });
  await n1.partition();
  await fleet.untilSeen("n1", "offline", (node) => node.presence === "offline");
  await n1.heal();

  await untilEnded(fleet, id, "completed");
  await assertAllOn(fleet, build);
  const [whole, ...others] = asked();
  const rest = others.at(-1);
  assert.ok(whole !== undefined && rest !== undefined, "n1 asked once only");
  assert.deepEqual([whole.range, whole.status, whole.bytes], [undefined, 200, CUT_AFTER]);
  const from = Number(/^bytes=(\d+)-$/.exec(rest.range ?? "")?.[1]);
  say(`cut after ${whole.bytes} bytes, went on from byte ${from} and fetched ${rest.bytes} more`);
  assert.ok(from > 0 && from <= CUT_AFTER, `Range: ${rest.range}`);
  assert.equal(rest.status, 206);
  assert.notEqual(rest.ifRange, undefined, "a resumed download must say of which file");
  const other = fleet.proxy.requests.find(
    (one) => one.path === whole.path && one.from === fleet.machine("n2").address,
  );
  assert.equal(from + rest.bytes, other?.bytes, "both parts together are the file");
}

async function cutInProbation(lab: Lab): Promise<void> {
  const fleet = await Fleet.boot(lab);
  const old = await runningOn(fleet, "n1");
  const build = await fleet.publish({ variant: "good", version: "1.1.0" });
  const sampler = fleet.sample();
  const id = await fleet.startRollout("1.1.0");
  const { name } = await untilInFlight(fleet);
  const node = fleet.machine(name);
  await untilDist(fleet, name, build);
  await node.partition();
  await untilDist(fleet, name, old);
  assert.equal(quarantineOf(node, build.buildHash)?.provisional, true, "whether it is to blame is open");
  await node.heal();

  const rollout = await untilEnded(fleet, id, "halted");
  const { status } = rollout.nodes.find((one) => one.name === name) ?? {};
  assert.equal(status, "rolled-back");
  await untilLeaseIsFree(fleet);
  const seen = await fleet.untilSeen(name, "serving", ({ serving }) => serving);
  assert.equal(seen.build?.buildHash, old.buildHash);
  assert.deepEqual(
    seen.quarantine.map((entry) => [entry.build.buildHash, entry.provisional]),
    [[build.buildHash, false]],
    "the old build has a session where the new one had none",
  );
  for (const other of AGENTS.filter((one) => one !== name)) {
    assert.equal((await fleet.seen(other)).build?.buildHash, old.buildHash, `${other} was touched`);
    assert.equal(
      sampler.samples(other).every(({ up }) => up),
      true,
      `${other} was down`,
    );
  }
  assert.equal((await alertsOf(fleet, "update_failed")).length, 1);
}

async function coordinatorAway(lab: Lab, say: Say): Promise<void> {
  const fleet = await Fleet.boot(lab);
  const old = await runningOn(fleet, "n1");
  const build = await fleet.publish({ variant: "good", version: "1.1.0" });
  const sampler = fleet.sample();
  const sampledSince = Date.now();
  const id = await fleet.startRollout("1.1.0");
  const { name } = await untilInFlight(fleet);
  const node = fleet.machine(name);
  await untilDist(fleet, name, build);
  await fleet.c1.sh("systemctl kill --signal=SIGKILL baton-coordinator; systemctl stop baton-coordinator");
  const away = performance.now();
  await untilDist(fleet, name, old);
  assert.equal(quarantineOf(node, build.buildHash)?.provisional, true);
  const status = await untilStatus(node, "inconclusive", ({ finalWords }) =>
    finalWords.some(({ word }) => word === "inconclusive"),
  );
  say(`back, and found that nobody is to blame, ${((performance.now() - away) / 1000).toFixed(1)} s later`);
  assert.deepEqual(status.quarantine, [], "the quarantine is lifted");
  assert.equal(status.build.buildHash, old.buildHash);
  await fleet.c1.systemctl("start", "baton-coordinator");

  await untilEnded(fleet, id, "completed");
  await untilLeaseIsFree(fleet);
  await assertAllOn(fleet, build);
  await assertNeverTwoDown(sampler);
  await assertNoFalseAlarm(fleet, sampler, sampledSince);
  assert.equal((await statusOf(node)).hold, false);
}

function quarantineOf(node: Node, buildHash: string): QuarantineEntry | undefined {
  const path = `/var/lib/baton-agent/state/quarantine/${buildHash}`;
  if (!node.exists(path)) return undefined;
  const entry = parseJson(QuarantineEntry, node.read(path), path);
  if (!entry.ok) throw new Error(entry.error.message);
  return entry.value;
}
