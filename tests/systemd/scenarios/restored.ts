import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { path } from "../../../cli/api/client.ts";
import { JobStarted } from "../../../protocol/node.ts";
import { FaultError } from "../../../protocol/result.ts";
import { Fleet, releaseOf } from "../fleet/fleet.ts";
import { AGENTS } from "../fleet/image.ts";
import { HEARTBEAT_MS } from "../fleet/settings.ts";
import type { Lab } from "../lab/lab.ts";
import { until } from "../lab/until.ts";
import { type Say, scenario } from "../runner.ts";
import { auditOf, untilEnded } from "./watching.ts";

export const restored = [
  scenario(
    "restore: a backup from before the last updates; no token is used twice, nothing is granted before agents were heard",
    fromBefore,
    { timeoutMs: 180_000 },
  ),
];

const BACKUP = "/root/before.backup";
/** Long enough for a lease to have been granted, had it been allowed to. */
const QUIET_MS = 8 * HEARTBEAT_MS;

async function fromBefore(lab: Lab, say: Say): Promise<void> {
  const fleet = await Fleet.boot(lab);
  const build = await fleet.publish({ variant: "good", version: "1.1.0" });
  await fleet.c1.must(["coordinator", "backup", BACKUP]);
  await untilEnded(fleet, await fleet.startRollout("1.1.0"), "completed");
  const highest = Math.max(...(await tokens(fleet)));

  await fleet.c1.systemctl("stop", "baton-coordinator");
  const told = await fleet.c1.must(["coordinator", "restore", "--force", BACKUP]);
  say(told.trim().split("\n").at(-1) ?? "");
  const [n1, ...others] = AGENTS;
  for (const name of others) await fleet.machine(name).partition();
  await fleet.c1.systemctl("start", "baton-coordinator");
  await until(() => fleet.lease(), { what: "coordinator that answers again", everyMs: 20 });
  const { id } = await fleet.untilSeen(n1, "heard again", (node) => node.presence === "online");

  const next = await fleet.publish({ variant: "good", version: "1.2.0" });
  const jobId = await update(fleet, id, "1.2.0");
  await wait(QUIET_MS);
  assert.equal((await fleet.lease()).holder, null, "one of three does not speak for the group");
  assert.equal((await fleet.job(jobId)).reason?.code, "quorum");
  for (const name of AGENTS) assert.equal(fleet.link(name), releaseOf(build), `${name} stays where it is`);

  for (const name of others) await fleet.machine(name).heal();
  await fleet.untilSeen(n1, "on the next release", (node) => node.build?.buildHash === next.buildHash);
  await until(async () => (await fleet.job(jobId)).status === "succeeded", { what: `end of job ${jobId}` });
  const after = await tokens(fleet);
  assert.ok(after.length > 0);
  assert.ok(Math.min(...after) > highest, `${Math.min(...after)} is not above ${highest}`);
  say(`highest token before ${highest}, lowest after ${Math.min(...after)}`);
  for (const name of others)
    assert.equal(fleet.link(name), releaseOf(build), `${name} was not asked to move`);
}

/** Of the leases that the coordinator's audit log knows of. The restored log knows of none after the backup. */
async function tokens(fleet: Fleet): Promise<readonly number[]> {
  const entries = await auditOf(fleet, "lease.reserved");
  const restoredAt = Math.max(0, ...(await auditOf(fleet, "store.restored")).map((entry) => entry.at));
  return entries
    .filter((entry) => entry.at > restoredAt)
    .map(({ after }) => (after as { token: number }).token);
}

async function update(fleet: Fleet, id: string, release: string): Promise<string> {
  const started = await fleet.api.call({
    method: "POST",
    path: path("v1", "nodes", id, "update"),
    body: { release },
    answer: JobStarted,
  });
  if (!started.ok) throw new FaultError(started.error);
  return started.value.jobId;
}
