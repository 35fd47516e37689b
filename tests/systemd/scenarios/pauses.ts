import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { path } from "../../../cli/api/client.ts";
import { Group } from "../../../protocol/group.ts";
import { FaultError } from "../../../protocol/result.ts";
import { Fleet } from "../fleet/fleet.ts";
import { AGENTS, GROUP } from "../fleet/image.ts";
import { HEARTBEAT_MS } from "../fleet/settings.ts";
import type { Lab } from "../lab/lab.ts";
import { until } from "../lab/until.ts";
import { type Say, scenario } from "../runner.ts";
import { assertAllOn, assertNeverTwoDown, untilEnded, untilInFlight } from "./watching.ts";

export const pauses = [
  scenario(
    "pause: in the middle of a rollout, over a restart of the coordinator, and on again",
    pauseAndResume,
  ),
  scenario(
    "window: it closes in the middle, who is in flight finishes, the rest waits until it opens",
    windowCloses,
    {
      timeoutMs: 200_000,
    },
  ),
];

/** Long enough for a node to have begun, had it been allowed to. */
const QUIET_MS = 6 * HEARTBEAT_MS;

async function pauseAndResume(lab: Lab, say: Say): Promise<void> {
  const fleet = await Fleet.boot(lab);
  const build = await fleet.publish({ variant: "good", version: "1.1.0" });
  const sampler = fleet.sample();
  const id = await fleet.startRollout("1.1.0");
  const first = await untilInFlight(fleet);
  assert.equal((await fleet.tell(id, "pause")).status, "paused");
  assert.equal((await fleet.tell(id, "pause")).status, "paused", "to say it again does no harm");
  await fleet.untilRollout(id, "the end of who was in flight", ({ nodes }) =>
    nodes.some(({ name, status }) => name === first.name && status === "succeeded"),
  );
  await fleet.c1.systemctl("restart", "baton-coordinator");
  await until(() => fleet.lease(), { what: "coordinator that answers again", everyMs: 20 });
  await fleet.untilServing(AGENTS);
  await wait(QUIET_MS);
  const paused = await fleet.rollout(id);
  assert.equal(paused.status, "paused");
  assert.match(paused.reason?.message ?? "", /^Paused by /);
  assert.equal((await fleet.lease()).holder, null, "nobody has begun meanwhile");
  assert.equal(paused.counts.succeeded, 1);
  say(`paused after ${first.name}: ${paused.reason?.message ?? ""}`);
  await fleet.tell(id, "resume");
  await untilEnded(fleet, id, "completed");
  await assertAllOn(fleet, build);
  await assertNeverTwoDown(sampler);
}

/** A window is open for a minute at least, so the scenario begins shortly before the end of one. */
const LEFT_MS = 5_000;

async function windowCloses(lab: Lab, say: Say): Promise<void> {
  const fleet = await Fleet.boot(lab);
  const build = await fleet.publish({ variant: "good", version: "1.1.0" });
  const leftMs = 60_000 - (Date.now() % 60_000);
  await wait((leftMs - LEFT_MS + 60_000) % 60_000);
  const closesAt = new Date(Math.ceil(Date.now() / 60_000) * 60_000);
  const opened = new Date(closesAt.getTime() - 60_000);
  const cron = `${opened.getUTCMinutes()} ${opened.getUTCHours()} * * *`;
  await edit(fleet, { windows: [{ cron, timezone: "UTC", durationMs: 60_000 }] });
  const id = await fleet.startRollout("1.1.0");
  await untilInFlight(fleet);
  const waiting = await fleet.untilRollout(
    id,
    "waiting for the window",
    ({ nodes }) =>
      nodes.every(({ status }) => status !== "updating") &&
      nodes.some(({ reason }) => reason?.code === "outside-window"),
    30_000,
  );
  assert.ok(Date.now() >= closesAt.getTime(), "not before it closes");
  assert.equal(waiting.status, "running", "it waits, it does not halt");
  const { succeeded } = waiting.counts;
  assert.ok(succeeded >= 1 && succeeded < 3, `${succeeded} of 3 went while it was open`);
  say(`${succeeded} of 3 went; then: ${waiting.reason?.message ?? ""}`);
  await wait(QUIET_MS);
  const still = await fleet.rollout(id);
  assert.equal(still.counts.succeeded, succeeded, "nobody begins outside the window");
  await edit(fleet, { windows: null });
  await untilEnded(fleet, id, "completed");
  await assertAllOn(fleet, build);
}

async function edit(fleet: Fleet, body: object): Promise<void> {
  const edited = await fleet.api.call({
    method: "PATCH",
    path: path("v1", "groups", GROUP),
    body,
    answer: Group,
  });
  if (!edited.ok) throw new FaultError(edited.error);
}
