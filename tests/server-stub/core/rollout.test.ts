/** The reconciler against fleets that do what they like: what a rollout never does, whatever it sees. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { JobStatus } from "../../../protocol/job.ts";
import { reconcile } from "../../../server-stub/core/rollout/reconcile.ts";
import {
  type Fleet,
  type FleetNode,
  hasFailed,
  isEnded,
  type RolloutRecord,
} from "../../../server-stub/core/rollout/rollout.ts";
import { beginRollout } from "../../../server-stub/core/rollout/snapshot.ts";

const OLD = { version: "1.0.0", buildHash: "a".repeat(64) };
const NEW = { version: "1.1.0", buildHash: "b".repeat(64) };
const LIMITS = { offlineAfterMs: 60_000 };

const rollout = (names: readonly string[], mode: "quorum" | "independent"): RolloutRecord =>
  beginRollout(
    {
      id: "r-1",
      kind: "update",
      release: "1.1.0",
      rollbackOf: null,
      selection: { groups: ["db"] },
      policy: {
        stages: [1],
        concurrency: 1,
        threshold: null,
        pauseMs: 0,
        offline: "halt",
        onFailure: "halt",
        seed: 7,
      },
      quorumGroups: mode === "quorum" ? ["db"] : [],
      acceptOutage: false,
      allowUnhealthy: [],
      retry: false,
      planHash: null,
      perNodeMs: null,
      startedBy: "ada",
      createdAt: 1,
    },
    names.map((name) => ({ nodeId: name, name, group: "db", role: null, from: null, to: null })),
  );

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
function fleetOf(stored: RolloutRecord, { holder, nodes }: Step, ended: Map<string, JobStatus>): Fleet {
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
      connecting: false,
      backup: null,
      gate: null,
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

type Step = { readonly holder: number; readonly nodes: readonly Seen[] };
type Seen = typeof seen extends fc.Arbitrary<infer T> ? T : never;

function mustHold(what: string, holds: boolean): void {
  if (!holds) throw new Error(what);
}

/** Plays a rollout through what is seen, one look after the other, and checks every look. */
function play(mode: "quorum" | "independent", steps: readonly Step[], cancelAt: number): void {
  const threshold = mode === "quorum" ? 0 : 0.3;
  const ended = new Map<string, JobStatus>();
  let stored = rollout(NAMES, mode);
  let jobs = 0;
  steps.forEach((each, now) => {
    const fleet = fleetOf(stored, each, ended);
    const cancels = now === cancelAt;
    const action = cancels ? ({ name: "cancel", by: "ada" } as const) : null;
    const result = reconcile(stored, fleet, LIMITS, now, action);
    const next = result.rollout;
    checkTurns(next, fleet);
    mustHold("jobs are opened only while it runs", next.status === "running" || result.open.length === 0);
    const closed = result.close.map(({ jobId }) => jobId);
    const closesHolder = next.nodes.some(
      (node) => node.jobId !== null && closed.includes(node.jobId) && fleet.get(node.nodeId)?.lease !== null,
    );
    mustHold("who holds a lease is let finish", !closesHolder);
    checkEnds(stored, next);
    const share = next.nodes.filter(hasFailed).length / next.nodes.length;
    mustHold("it halts at its threshold", next.status !== "running" || share <= threshold);
    const again = result.open.length > 0 || cancels ? next : reconcile(next, fleet, LIMITS, now + 1).rollout;
    mustHold("seen again without change, it is the very same object", again === next);
    const nodes = next.nodes.map((node) => {
      if (!result.open.includes(node.nodeId)) return node;
      jobs += 1;
      return { ...node, jobId: `j-${jobs}` };
    });
    stored = { ...next, nodes };
  });
}

function checkTurns(next: RolloutRecord, fleet: Fleet): void {
  const turns = next.nodes.filter((node) => node.status === "updating").map((node) => node.nodeId);
  const holders = [...fleet].filter(([, node]) => node.lease !== null).map(([id]) => id);
  mustHold("one turn at a time", turns.length <= 1);
  mustHold(
    "who is under way keeps the turn",
    holders.every((id) => turns.includes(id)),
  );
  mustHold(
    "turns are given only while it runs",
    next.status === "running" || turns.length === holders.length,
  );
  for (const id of turns) {
    if (next.quorumGroups.length === 0 || fleet.get(id)?.role !== "leader" || fleet.get(id)?.lease !== null)
      continue;
    const others = next.nodes.filter((node) => !isEnded(node) && node.nodeId !== id);
    mustHold(
      "leader last",
      others.every((node) => fleet.get(node.nodeId)?.role === "leader"),
    );
  }
}

/** What has ended stays ended; only a failure may turn out to be a rollback. */
function checkEnds(before: RolloutRecord, after: RolloutRecord): void {
  before.nodes.forEach(({ status, ...node }, index) => {
    const now = after.nodes[index]?.status;
    const learned = status === "failed" && now === "rolled-back";
    mustHold(`${node.name} stays ${status}`, !isEnded({ status }) || now === status || learned);
  });
}

test.each(["quorum", "independent"] as const)("a rollout of a %s group", (mode) => {
  const steps = fc.array(step, { minLength: 1, maxLength: 40 });
  const run = fc.property(steps, fc.nat({ max: 60 }), (seenInTurn, cancelAt) =>
    play(mode, seenInTurn, cancelAt),
  );
  const check = fc.check(run, { numRuns: 400, seed: 4711, includeErrorInReport: true });
  expect(check.failed ? fc.defaultReportMessage(check) : "it held").toBe("it held");
});
