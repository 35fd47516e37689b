import assert from "node:assert/strict";
import { judge } from "../../../packaging/debian/lintian.ts";
import { Fleet } from "../fleet/fleet.ts";
import { packages } from "../fleet/packages.ts";
import type { Lab } from "../lab/lab.ts";
import { complaintsAbout, exposureOf } from "../lab/unit-check.ts";
import { type Say, scenario } from "../runner.ts";

/** The most that a unit may be exposed without a workload; 0 is locked up, 10 is open. */
const MOST_EXPOSED = 2;

export const units = [
  scenario("units: systemd finds no mistake in them, and their sandboxes are tight", judged),
  scenario("packages: Debian's own checker finds no error", linted, { timeoutMs: 300_000 }),
];

async function judged(lab: Lab, say: Say): Promise<void> {
  const { c1, nodes } = await Fleet.boot(lab);
  const [n1] = nodes;
  const ofAgent = ["baton-agent.service", "baton-agent-deadline.service", "baton-agent-deadline.timer"];
  assert.equal(await complaintsAbout(n1, ofAgent), "");
  assert.equal(await complaintsAbout(c1, ["baton-coordinator.service"]), "");
  for (const [node, unit] of [
    [n1, "baton-agent.service"],
    [n1, "baton-agent-deadline.service"],
    [c1, "baton-coordinator.service"],
  ] as const) {
    const exposure = await exposureOf(node, unit);
    say(`${unit}: ${exposure}`);
    assert.ok(exposure <= MOST_EXPOSED, `${unit} is exposed ${exposure}`);
  }
}

async function linted(lab: Lab, say: Say): Promise<void> {
  const { agent, coordinator } = await packages(lab);
  const { errors, summary } = await judge([agent, coordinator]);
  say(summary.split("\n").at(-1) ?? "");
  assert.equal(errors, 0, summary);
  assert.match(summary, /lintian: 0 errors/, "lintian is installed and has judged");
}
