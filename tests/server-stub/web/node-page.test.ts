import { describe, expect, test } from "vitest";
import type { Node } from "../../../protocol/node.ts";
import {
  probesOf,
  refusedHere,
  whyNotDiagnose,
  whyNotRetry,
  whyNotRollBack,
} from "../../../server-stub/web/pages/node/model.ts";
import { whyNoUpdate } from "../../../server-stub/web/pages/nodes/model.ts";

const BUILD = { version: "1.0.0", buildHash: "a".repeat(64) };
const NEXT = { version: "1.1.0", buildHash: "b".repeat(64) };
const NODE = {
  name: "anna",
  membership: "approved",
  presence: "online",
  build: BUILD,
  backup: BUILD,
  hold: false,
  quarantine: [],
  health: { healthy: true },
  serving: true,
  journal: { kind: "idle" },
  update: null,
  latest: "1.1.0",
  outdated: true,
  jobId: null,
} as unknown as Node;
const FLEET_LOCK = "It speaks FleetLock: nothing is installed on it from here";
const node = (more: Partial<Node>): Node => ({ ...NODE, ...more });
const quarantine: Node["quarantine"] = [
  {
    build: NEXT,
    reason: { code: "crashed", message: "It ended at once." },
    at: 1,
    provisional: false,
    by: "guard",
  },
];

describe("what may be done with a node", () => {
  test.each([
    [{}, null, null, null],
    [{ presence: "offline" }, "anna is offline", "anna is offline", "anna is offline"],
    [{ jobId: "j-000000000001" }, "A job is under way on it", "A job is under way on it", null],
    [{ backup: null }, null, "anna has no build to go back to", null],
    [{ client: "fleet-lock" }, FLEET_LOCK, FLEET_LOCK, FLEET_LOCK],
  ] as const)("%o", (more, update, rollBack, diagnose) => {
    const of = node(more as Partial<Node>);
    expect([whyNoUpdate(of), whyNotRollBack(of), whyNotDiagnose(of, false)]).toEqual([
      update,
      rollBack,
      diagnose,
    ]);
  });

  test("what is quarantined or on hold may be tried again, by name", () => {
    expect(refusedHere(node({}))).toBeNull();
    expect(refusedHere(node({ quarantine }))).toMatch(/1\.1\.0 is in quarantine here: It ended at once/);
    expect(refusedHere(node({ hold: true }))).toMatch(/on hold/);
    expect(refusedHere(node({ hold: true, outdated: false }))).toBeNull();
    expect(whyNotRetry(node({ quarantine }))).toBeNull();
    expect(whyNotRetry(node({ quarantine, jobId: "j-000000000001" }))).toMatch(/under way/);
    expect(whyNotDiagnose(node({}), true)).toMatch(/already/);
  });

  test("a node that has not been heard says so everywhere", () => {
    const words = probesOf(node({ presence: "unknown", health: null, journal: null, serving: false }));
    expect(words.map(({ word }) => word)).toEqual([
      "not heard yet",
      "not heard yet",
      "it does not say",
      "it does not say",
      "does not count as serving",
      "not heard yet",
    ]);
  });
});
