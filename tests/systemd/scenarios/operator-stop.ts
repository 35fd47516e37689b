import assert from "node:assert/strict";
import { Fleet, releaseOf } from "../fleet/fleet.ts";
import { AGENTS } from "../fleet/image.ts";
import type { Lab } from "../lab/lab.ts";
import type { Node } from "../lab/node.ts";
import { scenario } from "../runner.ts";
import {
  AGENT_UNIT,
  assertAllOn,
  untilDist,
  untilEnded,
  untilInFlight,
  untilLeaseIsFree,
  untilStatus,
} from "./watching.ts";
import { withholdConfirms } from "./withheld.ts";

const DEADLINE = "baton-agent-deadline";

export const operatorStop = [
  scenario("operator: stops the unit three times in probation, which is no crash loop", stopsThreeTimes),
];

/** The deadline looks at it, and leaves alone what an operator stopped. */
async function staysStopped(node: Node): Promise<void> {
  const { invocation } = await node.unit(DEADLINE);
  await node.untilUnit(
    DEADLINE,
    "run",
    (unit) => unit.invocation !== invocation && unit.active === "inactive",
  );
  assert.equal((await node.unit(AGENT_UNIT)).active, "inactive");
}

async function stopsThreeTimes(lab: Lab): Promise<void> {
  const fleet = await Fleet.boot(lab, { proxied: true });
  const build = await fleet.publish({ variant: "good", version: "1.1.0" });
  const confirms = withholdConfirms(fleet);
  const id = await fleet.startRollout("1.1.0");
  const { name } = await untilInFlight(fleet);
  const node = fleet.machine(name);
  await untilDist(fleet, name, build);
  // Without the refunds, the third stop would leave no try for the start after it.
  for (const _ of [1, 2, 3]) {
    await untilStatus(node, "probation", ({ update }) => update.state === "probation");
    await node.systemctl("stop", AGENT_UNIT);
    assert.equal(fleet.link(name), releaseOf(build));
    await staysStopped(node);
    await node.systemctl("start", AGENT_UNIT);
  }
  await untilStatus(node, "probation", ({ update }) => update.state === "probation");
  const refunded = (await node.journal()).filter(({ message }) => message.includes("try-refunded"));
  assert.equal(refunded.length, 3);

  confirms.letThrough(...AGENTS);
  await untilEnded(fleet, id, "completed");
  await untilLeaseIsFree(fleet);
  await assertAllOn(fleet, build);
}
