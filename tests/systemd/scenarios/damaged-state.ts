import assert from "node:assert/strict";
import { Fleet } from "../fleet/fleet.ts";
import { AGENTS, type AgentName, FIRST_RELEASE } from "../fleet/image.ts";
import type { Lab } from "../lab/lab.ts";
import type { Node } from "../lab/node.ts";
import { scenario } from "../runner.ts";
import {
  AGENT_UNIT,
  assertAllOn,
  assertNeverTwoDown,
  statusOf,
  untilDist,
  untilEnded,
  untilInFlight,
  untilLeaseIsFree,
  untilStatus,
} from "./watching.ts";
import { withholdConfirms } from "./withheld.ts";

/** What is found at start is not what was left: the agent says so, and is safe. */
export const damagedState = [
  scenario(
    "state: a second agent on the same directory is refused, and the first one does not notice",
    secondAgent,
  ),
  scenario("state: torn and missing files are said at start, and the node can still be updated", tornAtRest),
  scenario("state: a journal or trial that is lost in probation costs nobody the lease", tornInProbation),
];

const STATE = "/var/lib/baton-agent/state";

async function secondAgent(lab: Lab): Promise<void> {
  const fleet = await Fleet.boot(lab);
  const n1 = fleet.machine("n1");
  const before = await statusOf(n1);
  const as = ["runuser", "--user", "baton-agent", "--"];
  const second = await n1.exec([...as, "/usr/lib/baton/node", "/usr/lib/baton/agent.mjs", "run"]);
  assert.equal(second.code, 5, second.stderr);
  assert.match(second.stderr, /\(already-running\)/);
  assert.match(second.stderr, new RegExp(`in use by process ${before.pid}; two agents on one would undo`));
  const after = await statusOf(n1);
  assert.deepEqual([after.instanceId, after.session.connected], [before.instanceId, true]);
}

/** Each damage: what is done to a stopped node's state, and what the agent says of it. */
const AT_REST: Readonly<Record<AgentName, readonly { readonly script: string; readonly says: RegExp }[]>> = {
  n1: [
    { script: "truncate --size=20 journal.json", says: /journal cannot be read/ },
    { script: "rmdir quarantine; mkdir trial; echo 1 >trial/format", says: /state\/trial cannot be read/ },
  ],
  n2: [
    {
      script: "echo torn >quarantine/$HASH",
      says: /The quarantine entry cannot be read; the build stays quarantined/,
    },
  ],
  n3: [
    { script: 'echo \'{"format":1,"min\' >floor.json', says: /floor\.json cannot be read.*nothing older/ },
  ],
};

/** What is trusted is looked at only when it is needed. */
const TEAR_TRUST =
  "truncate --size=100 tuf/current/root.json; : >tuf/current/timestamp.json; rm tuf/current/snapshot.json";
const LOSE_TRUST = "rm -r tuf trust-floor.json";

async function tornAtRest(lab: Lab): Promise<void> {
  const fleet = await Fleet.boot(lab);
  const build = await fleet.publish({ variant: "good", version: "1.1.0" });
  await Promise.all(fleet.nodes.map((node) => node.systemctl("stop", AGENT_UNIT)));
  for (const node of fleet.nodes) {
    const damage = AT_REST[node.name as AgentName].map(({ script }) => script);
    const trust = node.name === "n3" ? LOSE_TRUST : TEAR_TRUST;
    await tear(node, [...damage, trust, "chown --recursive baton-agent: ."], build.buildHash);
  }
  await Promise.all(fleet.nodes.map((node) => node.systemctl("start", AGENT_UNIT)));
  for (const node of fleet.nodes) {
    const { notes, build: runs } = await statusOf(node);
    assert.equal(runs.version, FIRST_RELEASE);
    for (const { says } of AT_REST[node.name as AgentName]) assert.match(notes.join("\n"), says);
  }
  await fleet.untilServing(AGENTS);
  // A floor that cannot be read does not open the way down.
  const down = await fleet.machine("n3").exec(["agent", "rollback"]);
  assert.deepEqual([down.code, /below 1\.0\.0/.test(down.stderr)], [3, true], down.stderr);

  const rollout = await untilEnded(fleet, await fleet.startRollout("1.1.0"), "completed");
  const ended = rollout.nodes.map(({ name, reason }) => [name, reason?.code] as const);
  assert.deepEqual(Object.fromEntries(ended), { n1: "updated", n2: "quarantined", n3: "updated" });
  const lifted = await fleet.machine("n2").exec(["agent", "update-now", "--retry"]);
  assert.equal(lifted.code, 0, lifted.stderr);
  for (const name of ["n1", "n2"]) await fleet.machine(name).untilJournal(/cached root was torn/);
  await assertAllOn(fleet, build);
}

const IN_PROBATION: Readonly<Record<AgentName, { readonly script: string; readonly says: RegExp }>> = {
  n1: { script: "truncate --size=30 journal.json", says: /knows of a swap .* that the journal does not/ },
  n2: { script: "rm -r trial", says: /^$/ },
  n3: { script: "rm -r trial journal.json", says: /^$/ },
};

async function tornInProbation(lab: Lab): Promise<void> {
  const fleet = await Fleet.boot(lab, { proxied: true });
  const build = await fleet.publish({ variant: "good", version: "1.1.0" });
  const confirms = withholdConfirms(fleet);
  const sampler = fleet.sample();
  const id = await fleet.startRollout("1.1.0");
  const done: string[] = [];
  for (const _ of AGENTS) {
    const { name } = await untilInFlight(fleet, done);
    const node = fleet.machine(name);
    await untilDist(fleet, name, build);
    await untilStatus(node, "probation", ({ update }) => update.state === "probation");
    await node.systemctl("stop", AGENT_UNIT);
    const { script, says } = IN_PROBATION[name as AgentName];
    await tear(node, [script]);
    await node.systemctl("start", AGENT_UNIT);
    assert.match((await statusOf(node)).notes.join("\n"), says);
    confirms.letThrough(name);
    done.push(name);
  }
  await untilEnded(fleet, id, "completed");
  await untilLeaseIsFree(fleet);
  await assertAllOn(fleet, build);
  await assertNeverTwoDown(sampler);
}

/** Runs shell lines in the state directory of a node whose agent is stopped. */
const tear = (node: Node, lines: readonly string[], hash = ""): Promise<string> =>
  node.sh(["set -x", `cd ${STATE}`, `HASH=${hash}`, ...lines].join("\n"));
