/** The reconciler against fleets that do what they like: what a rollout never does, whatever it sees. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { JobStatus } from "../../../protocol/job.ts";
import type { RolloutNode } from "../../../protocol/rollout.ts";
import { cancelRollout, reconcile } from "../../../server-stub/core/rollout/reconcile.ts";
import {
  type Fleet,
  type FleetNode,
  hasFailed,
  isEnded,
  type RolloutRecord,
} from "../../../server-stub/core/rollout/rollout.ts";

const OLD = { version: "1.0.0", buildHash: "a".repeat(64) };
const NEW = { version: "1.1.0", buildHash: "b".repeat(64) };
const POLICY = { concurrency: 1, threshold: 0, offlineHaltMs: 60_000 };

const place = (name: string): RolloutNode => ({
  nodeId: name,
  name,
  group: "db",
  status: "pending",
  from: null,
  to: null,
  jobId: null,
  reason: null,
  startedAt: null,
  endedAt: null,
});

const rollout = (names: readonly string[], mode: "quorum" | "independent"): RolloutRecord => ({
  id: "r-1",
  release: "1.1.0",
  group: "db",
  mode,
  retry: false,
  status: "pending",
  reason: null,
  acceptOutage: false,
  nodes: names.map(place),
  startedBy: "ada",
  createdAt: 1,
  endedAt: null,
});

const statuses: JobStatus[] = ["queued", "running", "running", "running", "succeeded", "failed", "cancelled"];

/** What may be seen of a node; at most one of them holds the lease, as the lease sees to. */
const seen = fc.record({
  presence: fc.constantFrom("online" as const, "online" as const, "offline" as const, "unknown" as const),
  awayMs: fc.constantFrom(0, 90_000),
  role: fc.constantFrom("leader" as const, "follower" as const, null),
  held: fc.boolean(),
  updated: fc.boolean(),
  status: fc.constantFrom(...statuses),
  rolledBack: fc.boolean(),
  prepared: fc.boolean(),
  removed: fc.nat({ max: 15 }),
});

const step = fc.record({ holder: fc.nat({ max: 7 }), nodes: fc.array(seen, { minLength: 4, maxLength: 4 }) });

/** The jobs that were opened are the rollout's own; a job that has ended stays as it ended. */
function fleetOf(
  stored: RolloutRecord,
  {
    holder,
    nodes,
  }: { holder: number; nodes: readonly (typeof seen extends fc.Arbitrary<infer T> ? T : never)[] },
  ended: Map<string, JobStatus>,
): Fleet {
  const fleet = new Map<string, FleetNode>();
  stored.nodes.forEach((node, index) => {
    const see = nodes[index];
    if (see === undefined || see.removed === 0) return;
    const status = node.jobId === null ? "queued" : (ended.get(node.jobId) ?? see.status);
    const isActive = status === "queued" || status === "running";
    if (node.jobId !== null && !isActive) ended.set(node.jobId, status);
    fleet.set(node.nodeId, {
      presence: see.presence,
      offlineForMs: see.presence === "offline" ? see.awayMs : null,
      build: see.updated ? NEW : OLD,
      target: NEW,
      platformKnown: true,
      role: see.presence === "online" ? see.role : null,
      reportsRole: nodes.some((each) => each.role !== null),
      held: see.held,
      quarantined: false,
      job:
        node.jobId === null
          ? null
          : {
              id: node.jobId,
              status,
              reason:
                status === "failed" ? { code: see.rolledBack ? "rolled-back" : "x", message: "m" } : null,
              prepared: isActive && see.prepared,
            },
      otherJob: null,
      lease:
        holder === index && isActive && node.jobId !== null && node.status === "updating"
          ? "in-flight"
          : null,
    });
  });
  return fleet;
}

const NAMES = ["a", "b", "c", "d"];

test.each(["quorum", "independent"] as const)("a rollout of a %s group", (mode) => {
  const threshold = mode === "quorum" ? 0 : 0.3;
  const check = fc.check(
    fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), fc.nat({ max: 60 }), (steps, cancelAt) => {
      let stored = rollout(NAMES, mode);
      const ended = new Map<string, JobStatus>();
      let jobs = 0;
      steps.forEach((each, now) => {
        const fleet = fleetOf(stored, each, ended);
        const policy = { ...POLICY, threshold };
        const result =
          now === cancelAt ? cancelRollout(stored, fleet, "ada", now) : reconcile(stored, fleet, policy, now);
        const next = result.rollout;
        const holders = [...fleet].filter(([, node]) => node.lease !== null).map(([id]) => id);
        const isRunning = next.status === "running";

        expect(result.turns.length).toBeLessThanOrEqual(1);
        // Who is under way is let finish, and nobody else has a turn then.
        if (holders.length > 0) expect(result.turns).toEqual(holders);
        // Turns are given while it runs, and by nothing else.
        if (!isRunning && holders.length === 0) expect(result.turns).toEqual([]);
        if (!isRunning) expect(result.open).toEqual([]);
        for (const { jobId } of result.close) {
          expect(next.nodes.some((node) => node.jobId === jobId && holders.includes(node.nodeId))).toBe(
            false,
          );
        }
        // What has ended stays ended; only a failure may turn out to be a rollback.
        stored.nodes.forEach((before, index) => {
          const after = next.nodes[index]?.status;
          if (isEnded(before) && after !== before.status) {
            expect([before.status, after]).toEqual(["failed", "rolled-back"]);
          }
        });
        const failed = next.nodes.filter(hasFailed).length;
        if (isRunning) expect(failed / next.nodes.length <= threshold).toBe(true);
        // The leader of a quorum group is given its turn only when no other is still to go.
        for (const id of result.turns) {
          if (mode !== "quorum" || fleet.get(id)?.role !== "leader" || fleet.get(id)?.lease !== null)
            continue;
          const others = next.nodes.filter((node) => !isEnded(node) && node.nodeId !== id);
          expect(others.filter((node) => fleet.get(node.nodeId)?.role !== "leader")).toEqual([]);
        }
        // Seen again without change, it says the same again, as the very same object.
        const opened = {
          ...next,
          nodes: next.nodes.map((node) => {
            if (!result.open.includes(node.nodeId)) return node;
            jobs += 1;
            return { ...node, jobId: `j-${jobs}` };
          }),
        };
        if (result.open.length === 0 && now !== cancelAt)
          expect(reconcile(next, fleet, policy, now + 1).rollout).toBe(next);
        stored = opened;
      });
    }),
    { numRuns: 400, seed: 4711 },
  );
  expect(check.failed ? `${check.errorInstance} ${fc.defaultReportMessage(check)}` : "it held").toBe(
    "it held",
  );
});
