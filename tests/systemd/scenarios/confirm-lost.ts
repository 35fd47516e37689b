import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { Orders } from "../../../protocol/frames.ts";
import { parseJson } from "../../../protocol/parse.ts";
import { Fleet, releaseOf, showRollout } from "../fleet/fleet.ts";
import { AGENTS } from "../fleet/image.ts";
import type { Lab } from "../lab/lab.ts";
import { until } from "../lab/until.ts";
import { scenario } from "../runner.ts";

export const confirmLost = [
  scenario(
    "confirm lost: the next node waits until the first has confirmed, or has gone back",
    waitsForTheWord,
  ),
];

async function waitsForTheWord(lab: Lab): Promise<void> {
  const fleet = await Fleet.boot(lab, { proxied: true });
  await lostForEver(fleet);
  await lostForAWhile(fleet);
}

/** The confirm never arrives: the first node goes back when its probation is over, and the rollout halts. */
async function lostForEver(fleet: Fleet): Promise<void> {
  const build = await fleet.publish({ variant: "good", version: "1.1.0" });
  const lost = loseConfirms(fleet);
  const id = await fleet.startRollout("1.1.0");
  const first = await firstConfirmLost(fleet, lost);
  const rollout = await fleet.untilOver(id);
  assert.equal(rollout.status, "halted", showRollout(rollout));
  assert.deepEqual(
    statuses(rollout.nodes, first),
    ["rolled-back", "pending", "pending"],
    showRollout(rollout),
  );
  assert.ok(lost.count > 1, `the confirm is said again and again, ${lost.count} times`);
  for (const name of AGENTS) assert.notEqual(fleet.link(name), releaseOf(build));
  assert.equal((await fleet.lease()).holder, null);
  lost.end();
}

/** The confirm arrives late: until then nobody else goes, then everybody does. */
async function lostForAWhile(fleet: Fleet): Promise<void> {
  const build = await fleet.publish({ variant: "good", version: "1.2.0" });
  const lost = loseConfirms(fleet);
  const sampler = fleet.sample();
  const id = await fleet.startRollout("1.2.0");
  const first = await firstConfirmLost(fleet, lost);
  // Six heartbeats: time enough for a coordinator that took its own decision for the node's word.
  await pause(3_000);
  const { holder } = await fleet.lease();
  assert.deepEqual([holder?.nodeName, holder?.phase], [first, "in-flight"]);
  for (const name of AGENTS) assert.equal(fleet.link(name) === releaseOf(build), name === first, name);
  const waiting = (await fleet.rollout(id)).nodes.filter((node) => node.name !== first);
  assert.deepEqual(
    waiting.map((node) => node.status),
    ["preparing", "preparing"],
    "the others are prepared and wait",
  );
  lost.end();
  const rollout = await fleet.untilOver(id);
  await sampler.stop();
  assert.equal(rollout.status, "completed", showRollout(rollout));
  for (const name of AGENTS) assert.equal(fleet.link(name), releaseOf(build));
  assert.equal(sampler.mostDown().count, 1, JSON.stringify(sampler.mostDown()));
}

type Lost = { count: number; readonly from: Set<string>; end(): void };

/** From now on no order that holds a confirm reaches an agent; everything else does. */
function loseConfirms(fleet: Fleet): Lost {
  const from = new Set<string>();
  const lost: Lost = {
    count: 0,
    from,
    end: fleet.proxy.filterFrames((frame) => {
      if (frame.direction !== "toClient" || frame.text === "") return "pass";
      const orders = parseJson(Orders, frame.text, "frame");
      if (!orders.ok || orders.value.confirm === null) return "pass";
      lost.count += 1;
      from.add(frame.from);
      return "drop";
    }),
  };
  return lost;
}

/** Waits until a confirm was lost; gives the name of the node that it was for. */
async function firstConfirmLost(fleet: Fleet, lost: Lost): Promise<string> {
  const address = await until(() => [...lost.from][0], { what: "confirm that is lost" });
  const node = fleet.nodes.find((one) => one.address === address);
  assert.ok(node !== undefined, `a confirm for ${address}`);
  return node.name;
}

/** Statuses of the nodes, that of `first` before the others. */
const statuses = (
  nodes: readonly { readonly name: string; readonly status: string }[],
  first: string,
): readonly string[] =>
  nodes.toSorted((a, b) => Number(b.name === first) - Number(a.name === first)).map((node) => node.status);
