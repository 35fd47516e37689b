/**
 * The faults stop: what is down comes up, what is gone for good is removed, and an operator puts an end to what waits
 * for one. Then everything has to come to its end by itself.
 */
import { OPERATOR } from "./coordinator.ts";
import { removeNode } from "./deeds.ts";
import type { Checker } from "./invariants/checker.ts";
import { requireSettled, tellWhatWaits, unsettled } from "./invariants/settled.ts";
import { Violation } from "./invariants/violation.ts";
import type { World } from "./world.ts";

const LIMIT_MS = 25 * 60_000;
const ROUND_MS = 5_000;
/** Within this time of there being no more faults one coordinator decides, and knows it. */
const SEAT_MS = 12_000;

export async function calm(world: World): Promise<void> {
  const { network, nodes, story } = world;
  story.tell("world", "no more faults");
  network.healAll();
  world.luck = { fails: 0, overruns: 0 };
  world.database.healAll();
  world.seat.isSplit = false;
  for (const each of world.coordinators) {
    each.clock.wake();
    each.slowness = 1;
  }
  await world.start();
  for (const node of nodes.values()) {
    node.disk.trouble = null;
    node.disk.slowness = 1;
    node.clock.wake();
    node.boot();
    node.startUnit();
  }
}

/** Lets time pass until nothing is under way any more; throws when something never ends. */
export async function settle(
  world: World,
  checker: Checker,
  pass: (ms: number) => Promise<void>,
): Promise<void> {
  const from = world.time.now;
  await pass(SEAT_MS);
  const deciding = world.coordinators.filter(({ isUp }) => isUp).map(({ name }) => name);
  if (deciding.length !== 1)
    throw new Violation("one-decides", `${deciding.join(" and ") || "Nobody"} decides when all is well.`);
  const last = world.tookSeatLast?.name;
  if (last !== undefined && last !== deciding[0])
    throw new Violation(
      "one-decides",
      `${deciding[0]} believes to decide, and ${last} took the seat after it.`,
    );
  await pass(20_000 - SEAT_MS);
  for (const node of world.nodes.values()) {
    if (node.power === "gone" && !checker.removed.has(node.nodeId)) removeNode(world, node);
  }
  for (;;) {
    await pass(ROUND_MS);
    await endWhatWaits(world);
    const why = await unsettled(world, checker.removed);
    if (why === null) break;
    if (world.time.now - from > LIMIT_MS) {
      await tellWhatWaits(world);
      throw new Violation("everything-ends", why);
    }
  }
  await requireSettled(world, checker.removed, (what) => checker.count(what));
}

/** What an operator who finds things at rest would do about them. */
async function endWhatWaits(world: World): Promise<void> {
  const { services, stored } = world.coordinator;
  if (services === null || stored === null) return;
  const policy = await stored.policy();
  if (policy.value.freeze !== null) await world.whileTimePasses(services.policy.unfreeze(OPERATOR));
  const small = new Set<string>();
  for (const { value: group } of await stored.groups()) {
    if (group.freeze !== null) await world.whileTimePasses(services.groups.unfreeze(OPERATOR, group.name));
    const voters = (await stored.nodes(group.name)).filter(({ value }) => value.voter).length;
    if (group.mode === "quorum" && voters <= 2) small.add(group.name);
  }
  for (const { value: rollout } of await stored.unfinishedRollouts()) {
    const isStuck = rollout.nodes.some(({ group }) => small.has(group));
    if (isStuck) await world.whileTimePasses(services.rollouts.cancel(OPERATOR, rollout.id));
    else await world.whileTimePasses(services.rollouts.resume(OPERATOR, rollout.id));
  }
  for (const { value: job } of await stored.activeJobs()) {
    if (small.has(job.group)) await world.whileTimePasses(services.jobs.cancel(OPERATOR, job.id));
  }
}
