import assert from "node:assert/strict";
import type { Finding } from "../../../protocol/finding.ts";
import { Fleet } from "../fleet/fleet.ts";
import type { Lab } from "../lab/lab.ts";
import type { Node } from "../lab/node.ts";
import { type Say, scenario } from "../runner.ts";
import { AGENT_UNIT } from "./watching.ts";

/** What `agent doctor` says of real machines: of a good one nothing amiss, of a bad one what is bad. */
export const doctor = [
  scenario("doctor: a good node is well, as root sees it and as the agent itself does", goodNode),
  scenario("doctor: a disk that may only be read, a foreign file, a stopped service: each is said", badNode),
];

const HOME = "/var/lib/baton-agent";

async function look(node: Node): Promise<{ code: number; findings: readonly Finding[] }> {
  const ran = await node.exec(["agent", "doctor", "--json"], { timeoutMs: 60_000 });
  return { code: ran.code ?? -1, ...(JSON.parse(ran.stdout) as { findings: readonly Finding[] }) };
}

const amiss = (findings: readonly Finding[]) =>
  findings.filter(({ level }) => level !== "ok").map(({ code, message }) => `${code}: ${message}`);
const codes = (findings: readonly Finding[]) => findings.map(({ code }) => code);

async function goodNode(lab: Lab, say: Say): Promise<void> {
  const fleet = await Fleet.boot(lab);
  const n1 = fleet.machine("n1");
  const { code, findings } = await look(n1);
  assert.deepEqual(amiss(findings), []);
  assert.equal(code, 0);
  for (const each of [
    "unit-active",
    "guard-ok",
    "session-open",
    "reached",
    "clock-right",
    "paths-ok",
    "disk-space",
  ])
    assert.ok(codes(findings).includes(each), each);
  say(`${findings.length} findings, none amiss`);

  const asked = await fleet.batonRun(["nodes", "diagnose", "n1", "--wait", "--json"]);
  assert.equal(asked.code, 0, asked.stderr);
  const id = /j-[0-9a-z]{12}/.exec(asked.stdout + asked.stderr)?.[0] ?? "";
  const log = await fleet.jobLog(id);
  assert.equal(log[0]?.text, "agent doctor: nothing wrong");
  assert.ok(log.some(({ text }) => text === "The last lines of the agent:"));
  assert.equal((await fleet.job(id)).status, "succeeded");
}

async function badNode(lab: Lab): Promise<void> {
  const fleet = await Fleet.boot(lab);
  const n1 = fleet.machine("n1");
  await n1.sh(`chown root ${HOME}/state/journal.json && chmod 644 ${HOME}/state/node.json`);
  assert.deepEqual(
    codes((await look(n1)).findings).filter((each) => each.startsWith("path-")),
    ["path-foreign", "path-open"],
  );
  await n1.sh(`chown baton-agent ${HOME}/state/journal.json && chmod 600 ${HOME}/state/node.json`);

  await n1.systemctl("stop", AGENT_UNIT);
  await n1.sh(`mount --bind ${HOME} ${HOME} && mount -o remount,bind,ro ${HOME}`);
  const stopped = await look(n1);
  assert.equal(stopped.code, 1);
  for (const each of ["unit-inactive", "agent-not-running", "disk-read-only"])
    assert.ok(codes(stopped.findings).includes(each), each);
  const as = ["runuser", "--user", "baton-agent", "--"];
  const started = await n1.exec([...as, "/usr/lib/baton/node", "/usr/lib/baton/agent.mjs", "run"]);
  assert.match(
    started.stderr,
    /cannot be written, so no agent starts on it.*\n.*remount,rw.*agent doctor\n.*lock-failed/,
  );
  await n1.sh(`umount ${HOME}`);

  await n1.systemctl("start", AGENT_UNIT);
  await fleet.untilServing(["n1"]);
  assert.deepEqual(amiss((await look(n1)).findings), []);
}
