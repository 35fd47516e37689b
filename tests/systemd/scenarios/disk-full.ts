import assert from "node:assert/strict";
import type { VariantName } from "../fixtures/variants.ts";
import { Fleet } from "../fleet/fleet.ts";
import { AGENTS, FIRST_RELEASE } from "../fleet/image.ts";
import type { Lab } from "../lab/lab.ts";
import type { Node } from "../lab/node.ts";
import { until } from "../lab/until.ts";
import { type Say, scenario } from "../runner.ts";
import {
  AGENT_UNIT,
  runningOn,
  statusOf,
  untilDist,
  untilEnded,
  untilInFlight,
  untilLeaseIsFree,
} from "./watching.ts";

/** The file system of the agent's state runs full at the worst moments. */
export const diskFull = [
  scenario("disk full: while unpacking, a clear error, nothing left, the old build serves", whileUnpacking),
  scenario("disk full: the guard still goes back", (lab, say) =>
    whileGoingBack(lab, say, "flapping-process", "guard"),
  ),
  scenario("disk full: the agent still goes back by itself", (lab, say) =>
    whileGoingBack(lab, say, "unhealthy", "agent"),
  ),
];

const STATE = "/var/lib/baton-agent";
const SMALL = { state: { megabytes: 64 } } as const;
const TARGETS = /^\/tuf\/targets\//;

async function whileUnpacking(lab: Lab): Promise<void> {
  const fleet = await Fleet.boot(lab, { proxied: true, disks: { n1: SMALL } });
  const n1 = fleet.machine("n1");
  const sampler = fleet.sample();
  await fleet.publish({ variant: "good", version: "1.1.0", ballastBytes: 4_000_000 });
  // The download waits until the disk holds what it brings and hardly more: there was space when it was looked at.
  const letGo = fleet.proxy.inflict({ do: "delay", path: TARGETS, from: n1.address, delayMs: 2_000 });
  const id = await fleet.startRollout("1.1.0");
  const isAsked = () => fleet.proxy.requests.some((one) => one.from === n1.address && TARGETS.test(one.path));
  await until(isAsked, { what: "download of n1", everyMs: 10 });
  await leaveFree(n1, 6_000_000);
  const rollout = await untilEnded(fleet, id, "halted");
  letGo();
  const place = rollout.nodes.find(({ name }) => name === "n1");
  assert.equal(place?.status, "failed");
  assert.equal(place.reason?.code, "disk-full", JSON.stringify(place.reason));
  assert.match(place.reason.message, /space|full/);
  const log = (await fleet.jobLog(place.jobId ?? "")).map(({ text }) => text).join("\n");
  assert.match(
    log,
    /The disk was full before the bundle was unpacked; what had been unpacked was removed again/,
  );
  const old = await statusOf(n1);
  assert.equal(old.build.version, FIRST_RELEASE);
  assert.equal(old.health.healthy, true);
  assert.deepEqual(old.quarantine, [], "the build is not to blame");
  const left = await n1.sh(`ls -A ${STATE}/releases ${STATE}/download`);
  assert.doesNotMatch(left, /prepare|1\.1\.0|\.part/, `something is left:\n${left}`);
  await sampler.stop();
  assert.equal(
    sampler.samples("n1").every(({ up }) => up),
    true,
    "the old build did not serve all the time",
  );
}

async function whileGoingBack(
  lab: Lab,
  say: Say,
  variant: VariantName,
  by: "guard" | "agent",
): Promise<void> {
  const disks = Object.fromEntries(AGENTS.map((name) => [name, SMALL]));
  const fleet = await Fleet.boot(lab, { disks });
  const old = await runningOn(fleet, "n1");
  const build = await fleet.publish({ variant, version: "1.1.0" });
  const id = await fleet.startRollout("1.1.0");
  const { name } = await untilInFlight(fleet);
  const node = fleet.machine(name);
  await untilDist(fleet, name, build);
  await leaveFree(node, 0);
  const isFull = await node.exec([
    "runuser",
    "-u",
    "baton-agent",
    "--",
    "dd",
    "if=/dev/zero",
    `of=${STATE}/one`,
    "count=9",
  ]);
  assert.match(isFull.stderr, /No space left on device/);
  await untilDist(fleet, name, old);
  await node.untilUnit(AGENT_UNIT, "started again", ({ active }) => active === "active");

  const rollout = await untilEnded(fleet, id, "halted");
  const place = rollout.nodes.find((one) => one.name === name);
  assert.equal(place?.status, "rolled-back");
  say(`${variant}: ${place.reason?.message}`);
  await untilLeaseIsFree(fleet);
  const seen = await fleet.untilSeen(name, "serving", ({ serving }) => serving);
  assert.equal(seen.build?.buildHash, old.buildHash);
  assert.deepEqual(
    seen.quarantine.map((entry) => [entry.build.buildHash, entry.by]),
    [[build.buildHash, "guard"]],
    "the entry that lay ready was moved into place, for there was no room to write one",
  );
  const guarded = (await node.journal()).some(({ message }) => message.includes("agent-guard: went-back"));
  assert.equal(guarded, by === "guard", `it was not the ${by} that went back`);
}

/** Fills the file system of the agent's state until about so many bytes are free; with 0, to the last block. */
async function leaveFree(node: Node, bytes: number): Promise<void> {
  await node.sh(`
    free=$(df --output=avail --block-size=1 ${STATE} | tail -n 1)
    fallocate --length $((free - ${bytes} - ${bytes === 0 ? 200_000 : 0})) ${STATE}/filled
    ${bytes === 0 ? `dd if=/dev/zero of=${STATE}/rest bs=1k 2>/dev/null || true` : ""}
    sync --file-system ${STATE}
  `);
}
