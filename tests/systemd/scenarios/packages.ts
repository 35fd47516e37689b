import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Fleet, releaseOf, showRollout } from "../fleet/fleet.ts";
import { AGENTS } from "../fleet/image.ts";
import { PACKAGE_VERSION, packages } from "../fleet/packages.ts";
import type { Lab } from "../lab/lab.ts";
import type { Node } from "../lab/node.ts";
import { scenario } from "../runner.ts";

const NEWER = "0.9.1";

export const debianPackages = [
  scenario(
    "packages: installed, the agent runs its first build; purged, nothing of it is left",
    comesAndGoes,
  ),
  scenario("packages: an upgrade after self-updates touches neither dist nor the running unit", upgrade),
];

async function comesAndGoes(lab: Lab): Promise<void> {
  const { agent, coordinator } = await packages(lab);
  const node = await lab.node("n1", { state: "root" });
  const before = filesOf(lab, "n1");
  await node.install([agent, coordinator]);
  const unit = await node.untilUnit("baton-agent", "active", ({ active }) => active === "active");
  assert.equal(unit.enabled, "enabled");
  assert.equal((await node.unit("baton-agent-deadline.timer")).active, "active");
  assert.equal((await node.unit("baton-coordinator")).active, "inactive", "it is its operator's to start");
  const status = JSON.parse(await node.must(["agent", "status", "--json"])) as { build: { version: string } };
  assert.equal(status.build.version, PACKAGE_VERSION);
  assert.match(
    await node.sh("ps -o user= -p $(systemctl show --property=MainPID --value baton-agent)"),
    /^baton-a/,
  );
  assert.match(await node.must(["baton", "--help"]), /publish/);

  await node.kill();
  await node.boot();
  await node.untilUnit("baton-agent", "active after a boot", ({ active }) => active === "active");

  await node.must(["dpkg", "--purge", "baton-agent", "baton-coordinator"]);
  assert.equal((await node.unit("baton-agent")).load, "not-found");
  assert.equal(await node.sh("pgrep --uid baton-agent || true"), "", "no process is left");
  const left = filesOf(lab, "n1").filter((path) => !before.includes(path) && !KEPT.test(path));
  // A directory of the machine itself also differs once something was put into it.
  assert.deepEqual(
    left.filter((path) => !existsSync(join("/", path))),
    [],
  );
}

/** What stays of any package: the package system's own, logs, and the number of a user that once was. */
const KEPT =
  /^(etc\/(passwd|group|shadow|gshadow|subuid|subgid)-?|etc\/\.pwd\.lock|var\/(lib\/(dpkg|systemd|apt)|log|cache|backups)(\/.*)?|run(\/.*)?|tmp(\/.*)?)$/;

/** Everything that differs between a node's root and the machine's. */
function filesOf(lab: Lab, name: string): readonly string[] {
  return readdirSync(join(lab.site.fast, lab.name, name, "upper"), { recursive: true, encoding: "utf8" });
}

async function upgrade(lab: Lab): Promise<void> {
  const fleet = await Fleet.boot(lab);
  const build = await fleet.publish({ variant: "good", version: "1.1.0" });
  const rollout = await fleet.untilOver(await fleet.startRollout("1.1.0"));
  assert.equal(rollout.status, "completed", showRollout(rollout));
  const newer = await packages(lab, NEWER);
  const [n1] = fleet.nodes;
  const before = await n1.unit("baton-agent");
  const sampler = fleet.sample();
  await Promise.all([n1.install([newer.agent]), fleet.c1.install([newer.coordinator])]);
  await fleet.untilServing(AGENTS);
  await sampler.stop();
  assert.deepEqual(sampler.outages(), [], "nobody noticed");
  const after = await n1.unit("baton-agent");
  assert.deepEqual(
    [after.mainPid, after.invocation],
    [before.mainPid, before.invocation],
    "the unit was not restarted",
  );
  assert.equal(fleet.link("n1"), releaseOf(build));
  assert.match(await n1.sh("dpkg-query --show baton-agent"), new RegExp(`\\s${NEWER}$`, "m"));
  await startsFromDist(fleet, n1, releaseOf(build));
  const again = await fleet.publish({ variant: "good", version: "1.2.0" });
  const next = await fleet.untilOver(await fleet.startRollout("1.2.0"));
  assert.equal(next.status, "completed", showRollout(next));
  for (const name of AGENTS) assert.equal(fleet.link(name), releaseOf(again));
}

/** Also under the new package's guard and launcher it is the node's own build that starts. */
async function startsFromDist(fleet: Fleet, node: Node, release: string): Promise<void> {
  await node.systemctl("restart", "baton-agent");
  await fleet.untilSeen(node.name, "serving after a restart", ({ serving }) => serving);
  assert.equal(fleet.link(node.name), release);
}
