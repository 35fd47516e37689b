import assert from "node:assert/strict";
import type { Build } from "../../../protocol/build.ts";
import type { Rollout } from "../../../protocol/rollout.ts";
import type { Sampler } from "../../harness/sampler.ts";
import type { VariantName } from "../fixtures/variants.ts";
import { Fleet, releaseOf, showRollout } from "../fleet/fleet.ts";
import { AGENTS, GROUP, LEADER } from "../fleet/image.ts";
import type { Lab } from "../lab/lab.ts";
import type { UnitState } from "../lab/unit-state.ts";
import { type Say, scenario } from "../runner.ts";

/** Builds that get as far as being swapped in, in the order in which they are tried. Source: FEATURES B6. */
const SWAPPED_IN: readonly VariantName[] = [
  "crash-at-start",
  "exit-zero",
  "writes-newer-state",
  "flapping-process",
  "hang-before-ready",
  "ignores-sigterm",
  "hang-after-ready",
  "hang-with-watchdog",
  "unhealthy",
  "flapping",
  "workload-crashes",
  "cannot-connect",
];

/** Builds whose own self-test shows it already: nothing is ever swapped. */
const FOUND_BEFORE: readonly VariantName[] = ["crash-at-import", "foreign-runtime"];

export const badBuilds = [
  scenario("bad builds: each goes back to the old build, is quarantined, and halts the rollout", swappedIn, {
    timeoutMs: 360_000,
  }),
  scenario("bad builds: what its self-test or its platform shows is never swapped in", foundBefore),
];

/** One fleet takes them one after another: a quarantine is for one build, and each is another one. */
async function swappedIn(lab: Lab, say: Say): Promise<void> {
  const fleet = await Fleet.boot(lab);
  for (const [at, variant] of SWAPPED_IN.entries()) {
    const started = performance.now();
    const tried = await tryBuild(fleet, variant, `1.1.${at}`);
    const { node, reason } = goneBack(tried);
    await settled(fleet, tried, node);
    say(`${seconds(started)}  ${variant}: ${reason}`);
  }
  await notTriedAgain(fleet);
}

type Tried = {
  readonly variant: VariantName;
  readonly build: Build;
  readonly old: readonly string[];
  readonly units: readonly UnitState[];
  readonly rollout: Rollout;
  readonly sampler: Sampler;
};

/** Publishes a build and rolls it out until the rollout is over and every node serves again. */
async function tryBuild(fleet: Fleet, variant: VariantName, version: string): Promise<Tried> {
  const build = await fleet.publish({ variant, version });
  const old = AGENTS.map((name) => fleet.link(name));
  const units = await Promise.all(fleet.nodes.map((node) => node.unit("baton-agent")));
  const sampler = fleet.sample();
  const rollout = await fleet.untilOver(await fleet.startRollout(version));
  await fleet.untilServing(AGENTS);
  await sampler.stop();
  return { variant, build, old, units, rollout, sampler };
}

/** The rollout halted with one node that has rolled back and two that were left alone. Gives the one, and why. */
function goneBack({ rollout, variant }: Tried): { readonly node: string; readonly reason: string } {
  assert.equal(rollout.status, "halted", `${variant}: ${showRollout(rollout)}`);
  const back = rollout.nodes.filter((node) => node.status === "rolled-back");
  assert.equal(back.length, 1, `${variant}: ${showRollout(rollout)}`);
  const untouched = rollout.nodes.filter(
    (node) => node.status === "pending" && node.reason?.code === "halted",
  );
  assert.equal(untouched.length, 2, `${variant}: ${showRollout(rollout)}`);
  const name = back[0]?.name ?? "";
  assert.notEqual(name, LEADER, "a follower was tried first");
  return { node: name, reason: back[0]?.reason?.message ?? "" };
}

/** The one node is on its old build and has quarantined the new one; the others have not noticed anything. */
async function settled(fleet: Fleet, tried: Tried, tryer: string): Promise<void> {
  const { variant, build, old, units, sampler } = tried;
  for (const [at, name] of AGENTS.entries()) {
    const seen = await fleet.seen(name);
    assert.equal(fleet.link(name), old[at], `${variant}: dist of ${name}`);
    assert.equal(
      old[at],
      seen.build === null ? "" : releaseOf(seen.build),
      `${variant}: ${name} runs what dist names`,
    );
    assert.equal(fleet.machine(name).exists("/var/lib/baton-agent/state/trial"), false);
    const entry = seen.quarantine.find((one) => one.build.buildHash === build.buildHash);
    const unit = await fleet.machine(name).unit("baton-agent");
    assert.equal(unit.active, "active");
    if (name === tryer) {
      assert.equal(entry?.provisional, false, `${variant} is quarantined on ${name}, for good`);
      assert.match(fleet.link(name, "dist.bak"), /^releases\/0\.9\.0-/, "dist.bak is what it was");
    } else {
      assert.equal(entry, undefined, `${variant}: ${name} knows nothing of it`);
      assert.equal(unit.mainPid, units[at]?.mainPid, `${variant}: ${name} was not restarted`);
    }
  }
  const others = sampler.outages().filter((outage) => outage.node !== tryer);
  assert.deepEqual(others, [], `${variant}: the others served all the time`);
  assert.equal((await fleet.lease()).holder, null, `${variant}: the lease is free again`);
}

/** Unasked, a quarantined build is skipped where it was tried; the rollout goes on to the next node, and halts there. */
async function notTriedAgain(fleet: Fleet): Promise<void> {
  const version = "1.1.0";
  const before = await quarantinedOn(fleet, version);
  const rollout = await fleet.untilOver(await fleet.startRollout(version));
  const of = (status: string) => rollout.nodes.filter((node) => node.status === status);
  assert.deepEqual(
    of("skipped").map(({ name, reason }) => [name, reason?.code]),
    [[before[0], "quarantined"]],
  );
  assert.equal(of("rolled-back").length, 1, showRollout(rollout));
  assert.equal((await quarantinedOn(fleet, version)).length, 2);
}

async function quarantinedOn(fleet: Fleet, version: string): Promise<readonly string[]> {
  const seen = await Promise.all(AGENTS.map((name) => fleet.seen(name)));
  return seen
    .filter((node) => node.quarantine.some((entry) => entry.build.version === version))
    .map((node) => node.name);
}

async function foundBefore(lab: Lab, say: Say): Promise<void> {
  const fleet = await Fleet.boot(lab);
  for (const [at, variant] of FOUND_BEFORE.entries()) {
    const tried = await tryBuild(fleet, variant, `1.1.${at}`);
    const failed = tried.rollout.nodes.filter((node) => node.status === "failed");
    assert.equal(tried.rollout.status, "halted", showRollout(tried.rollout));
    assert.ok(failed.length > 0, showRollout(tried.rollout));
    await neverSwapped(fleet, tried);
    for (const { name, reason } of failed) {
      const { quarantine } = await fleet.seen(name);
      assert.ok(
        quarantine.some((entry) => entry.build.buildHash === tried.build.buildHash),
        `${variant} on ${name}`,
      );
      say(`${variant} on ${name}: ${reason?.message}`);
    }
  }
  await foreignPlatform(fleet);
}

/** A release with no bundle for the fleet's platform is refused before any node is asked. */
async function foreignPlatform(fleet: Fleet): Promise<void> {
  await fleet.publish({ variant: "wrong-platform", version: "1.2.0" });
  const refused = await fleet.batonRun([
    "rollout",
    "start",
    "--group",
    GROUP,
    "--release",
    "1.2.0",
    "--yes",
    "--json",
  ]);
  assert.equal(refused.code, 5, refused.stdout);
  assert.match(refused.stderr, /no-build-for-platform/);
  for (const name of AGENTS) assert.equal((await fleet.seen(name)).behind, false);
}

async function neverSwapped(fleet: Fleet, { variant, old, units, sampler }: Tried): Promise<void> {
  for (const [at, name] of AGENTS.entries()) {
    const unit = await fleet.machine(name).unit("baton-agent");
    assert.equal(unit.mainPid, units[at]?.mainPid, `${variant}: ${name} was not restarted`);
    assert.equal(fleet.link(name), old[at]);
  }
  assert.deepEqual(sampler.outages(), [], `${variant}: all served all the time`);
}

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1).padStart(5)} s`;
