import assert from "node:assert/strict";
import { Fleet, releaseOf } from "../fleet/fleet.ts";
import { AGENTS, FIRST_RELEASE, fleetImage } from "../fleet/image.ts";
import type { Lab } from "../lab/lab.ts";
import { type Say, scenario } from "../runner.ts";

/** The fleet that the other scenarios start from. */
export const fleet = [
  scenario("fleet: set up by the runbook, from the Debian packages, to the first release", setUp, {
    timeoutMs: 240_000,
  }),
];

async function setUp(lab: Lab, say: Say): Promise<void> {
  const begun = performance.now();
  await fleetImage(lab);
  say(`made in ${seconds(begun)}`);
  const booted = performance.now();
  const fleet = await Fleet.boot(lab);
  say(`booted from the image, all three serving, in ${seconds(booted)}`);
  for (const name of AGENTS) {
    const { build, health, presence } = await fleet.seen(name);
    assert.equal(build?.version, FIRST_RELEASE);
    assert.equal(presence, "online");
    assert.equal(health?.role, name === "n3" ? "leader" : "follower");
    assert.equal(fleet.link(name), releaseOf(build));
    assert.match(
      fleet.link(name, "dist.bak"),
      /^releases\/0\.9\.0-/,
      "the package's own build is the way back",
    );
    assert.equal((await fleet.machine(name).unit("baton-agent")).active, "active");
  }
  assert.deepEqual(await fleet.openAlerts(), []);
}

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;
