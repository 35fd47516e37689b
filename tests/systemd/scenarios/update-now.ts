import assert from "node:assert/strict";
import { JoinTokenCreated } from "../../../protocol/access.ts";
import { parse } from "../../../protocol/parse.ts";
import { Fleet } from "../fleet/fleet.ts";
import { agentImage, FIRST_RELEASE } from "../fleet/image.ts";
import { AGENT_TOML } from "../fleet/settings.ts";
import type { Lab } from "../lab/lab.ts";
import type { Node } from "../lab/node.ts";
import { scenario } from "../runner.ts";
import {
  AGENT_UNIT,
  assertNeverTwoDown,
  auditOf,
  statusOf,
  untilEnded,
  untilLeaseIsFree,
  untilStatus,
} from "./watching.ts";

/** What a person at a node does by the `agent` command. */
export const updateNow = [
  scenario("agent update-now: with the schedule off, to the end, and of a bad build", now),
  scenario("agent rollback: by lease, stays, and is lifted by update-now --retry", rollback),
];

async function now(lab: Lab): Promise<void> {
  const [fleet, n4] = await Promise.all([
    Fleet.boot(lab),
    agentImage(lab).then((image) => lab.node("n4", { image })),
  ]);
  await joinEdge(fleet, n4);
  assert.equal((await statusOf(n4)).poll.enabled, false);

  const good = await n4.exec(["agent", "update-now"]);
  assert.equal(good.code, 0, good.stderr);
  assert.match(good.stdout, /^Job j-\w+ succeeded\.$/m);
  // Progress from before the restart and from after it, to the very end.
  assert.match(good.stderr, /Fetched and verified \d+ bytes/);
  assert.match(good.stderr, /1\.0\.0 .*is confirmed/);
  assert.equal((await statusOf(n4)).build.version, FIRST_RELEASE);
  const [returned] = await auditOf(fleet, "lease.returned");
  assert.equal(returned?.subject, "edge", "it took the lease of its group");

  const again = await n4.exec(["agent", "update-now"]);
  assert.deepEqual([again.code, /\(already-up-to-date\)/.test(again.stderr)], [5, true], again.stderr);

  const bad = await fleet.publish({ variant: "crash-at-start", version: "1.1.0" });
  const failed = await n4.exec(["agent", "update-now"]);
  assert.equal(failed.code, 3, failed.stderr);
  assert.match(failed.stderr, /ended as rolled-back/);
  const after = await untilStatus(n4, "a healthy workload", ({ health }) => health.healthy);
  assert.equal(after.build.version, FIRST_RELEASE);
  assert.deepEqual(
    after.quarantine.map(({ build }) => build.buildHash),
    [bad.buildHash],
  );
  const refused = await n4.exec(["agent", "update-now"]);
  assert.deepEqual([refused.code, /\(quarantined\)/.test(refused.stderr)], [5, true], refused.stderr);

  await fleet.publish({ variant: "good", version: "1.2.0" });
  const mended = await n4.exec(["agent", "update-now", "--json"]);
  assert.equal(mended.code, 0, mended.stderr);
  const events = mended.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { type: string });
  assert.equal(events.at(-1)?.type, "end");
  assert.ok(events.some(({ type }) => type === "progress"));
}

/** Lets a node with the agent's package join a group of its own, in which there never was a rollout. */
async function joinEdge(fleet: Fleet, node: Node): Promise<void> {
  await fleet.baton(["groups", "create", "edge", "--mode", "independent"]);
  const printed = await fleet.baton(["tokens", "join", "--group", "edge", "--auto-approve", "--json"]);
  const token = parse(JoinTokenCreated, JSON.parse(printed), "the join token");
  if (!token.ok) throw new Error(token.error.message);
  const { secret, rootFingerprint } = token.value;
  await node.must(["agent", "join", "https://c1:8420", "--root-fingerprint", rootFingerprint ?? ""], {
    env: { BATON_JOIN_TOKEN: secret },
  });
  node.write("/etc/baton/agent.toml", `${AGENT_TOML}\n[poll]\nenabled = false\n`);
  await node.systemctl("restart", AGENT_UNIT);
  await fleet.untilSeen(node.name, "online", ({ presence }) => presence === "online");
}

async function rollback(lab: Lab): Promise<void> {
  const fleet = await Fleet.boot(lab);
  const build = await fleet.publish({ variant: "good", version: "1.1.0" });
  await untilEnded(fleet, await fleet.startRollout("1.1.0"), "completed");
  await fleet.untilServing(["n1", "n2", "n3"]);
  const sampler = fleet.sample();
  const n1 = fleet.machine("n1");

  const back = await n1.exec(["agent", "rollback"]);
  assert.equal(back.code, 0, back.stderr);
  assert.match(back.stdout, /^Job j-\w+ succeeded\.$/m);
  const [returned] = await auditOf(fleet, "lease.returned");
  assert.ok(returned !== undefined);
  const { node } = returned.before as { readonly node: string };
  const { proof } = returned.after as { readonly proof: string };
  assert.deepEqual([node, proof], ["n1", "confirmed"], "it took the lease and a probation like any update");
  assert.equal(fleet.link("n1").startsWith(`releases/${FIRST_RELEASE}-`), true);
  const held = await statusOf(n1);
  assert.equal(held.hold, true);
  assert.equal(held.backup?.buildHash, build.buildHash, "the way forward is kept as well");
  assert.deepEqual(held.quarantine, [], "a build that was left on purpose is not a bad one");

  // Whatever usually brings a node that is behind up to date: its own hello, and a coordinator that begins anew.
  await fleet.c1.systemctl("restart", "baton-coordinator");
  await n1.systemctl("restart", AGENT_UNIT);
  const seen = await fleet.untilSeen("n1", "serving", ({ serving }) => serving);
  assert.deepEqual([seen.hold, seen.behind, seen.jobId], [true, true, null]);
  const refused = await n1.exec(["agent", "update-now"]);
  assert.deepEqual([refused.code, /\(held\)/.test(refused.stderr)], [5, true], refused.stderr);
  assert.equal((await statusOf(n1)).build.version, FIRST_RELEASE);
  assert.equal(
    (await auditOf(fleet, "lease.returned"))[0]?.id,
    returned?.id,
    "no loop: nothing was begun since",
  );

  const lifted = await n1.exec(["agent", "update-now", "--retry"]);
  assert.equal(lifted.code, 0, lifted.stderr);
  const { hold, build: runs } = await statusOf(n1);
  assert.deepEqual([hold, runs.buildHash], [false, build.buildHash]);
  await untilLeaseIsFree(fleet);
  await assertNeverTwoDown(sampler);
}
