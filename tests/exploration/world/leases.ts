/** The lease API and the orders: `server-stub/service/leases.ts` and `orders.ts`, on the real lease. */
import type { Event } from "../../../agent/core/machine/event.ts";
import type { Op } from "../../../agent/core/machine/facts.ts";
import type { LeaseFailure } from "../../../agent/core/ports.ts";
import type { Desired } from "../../../protocol/frames.ts";
import { isActive, type JobRecord } from "../../../server-stub/core/job/job.ts";
import { commit } from "../../../server-stub/core/lease/commit.ts";
import { cancel, renew } from "../../../server-stub/core/lease/hold.ts";
import { holderOf } from "../../../server-stub/core/lease/record.ts";
import { denyReserve, reserve } from "../../../server-stub/core/lease/reserve.ts";
import type { Denied, HoldView } from "../../../server-stub/core/lease/view.ts";
import { newestOf, wordsOf } from "../../../server-stub/core/presence/presence.ts";
import { mustAffordCommit, mustAffordReserve } from "./checks.ts";
import { leaseViewOf, policyOf } from "./group-view.ts";
import { withJob } from "./hub.ts";
import { idOf, type LeaseCommand, type NodeIndex, nodeAt, type World, withHub } from "./world.ts";

/** The coordinator takes a request; `answer` is null where none is waited for. */
export type Served = { readonly world: World; readonly answer: Event | null };

export function serve(world: World, at: NodeIndex, command: LeaseCommand): Served {
  if (!nodeAt(world, at).member) return { world, answer: refusal(command, NOT_FOUND) };
  switch (command.kind) {
    case "reserve":
      return serveReserve(world, at, command);
    case "commit":
      return serveCommit(world, at, command);
    case "renew": {
      const { op } = command;
      const step = renew(world.hub.lease, command, holdViewOf(world, at), world.now);
      const next = withHub(world, { lease: step.lease });
      const { outcome } = step;
      if (!outcome.ok) return { world: next, answer: refusal(command, outcome.error) };
      return { world: next, answer: { kind: "renew-granted", op, ...outcome.value } };
    }
    case "cancel": {
      const step = cancel(world.hub.lease, command, holdViewOf(world, at));
      return { world: withHub(world, { lease: step.lease }), answer: null };
    }
  }
}

type CommandOf<K> = Extract<LeaseCommand, { kind: K }>;

function serveReserve(world: World, at: NodeIndex, command: CommandOf<"reserve">): Served {
  const job = world.hub.jobs[at] ?? null;
  if (job === null || job.id !== command.jobId) return { world, answer: refusal(command, NOT_YOUR_TURN) };
  if (job.to?.buildHash !== command.build.buildHash)
    return { world, answer: refusal(command, NOT_YOUR_TURN) };
  const view = leaseViewOf(world, at, job);
  const step = reserve(world.hub.lease, command.session, view, world.now);
  const { outcome, lease } = step;
  const next = withHub(world, { lease });
  if (!outcome.ok) return { world: next, answer: refusal(command, outcome.error) };
  const { token } = outcome.value;
  mustAffordReserve(world, at, token);
  const given = withHub(next, { given: Math.max(world.hub.given, token) });
  const after: JobRecord = { ...job, status: "running", step: "reserve" };
  const answer: Event = { kind: "reserve-granted", op: command.op, ...outcome.value };
  return { world: withJob(given, at, after), answer };
}

function serveCommit(world: World, at: NodeIndex, command: CommandOf<"commit">): Served {
  const job = world.hub.jobs[at] ?? null;
  // The active job of the node: one that has ended is none.
  if (job === null || !isActive(job)) return { world, answer: refusal(command, STALE_TOKEN) };
  const view = leaseViewOf(world, at, job);
  const step = commit(world.hub.lease, command, view, world.now);
  const { outcome, lease } = step;
  const next = withHub(world, { lease });
  if (!outcome.ok) return { world: next, answer: refusal(command, outcome.error) };
  mustAffordCommit(world, at, command.token);
  const answer: Event = { kind: "commit-granted", op: command.op, ...outcome.value };
  return { world: withJob(next, at, { ...job, status: "running", step: "commit" }), answer };
}

const holdViewOf = ({ hub }: World, at: NodeIndex): HoldView => ({
  policy: policyOf(hub),
  asker: { nodeId: idOf(at), newest: newestOf(hub.presence[at]) },
});

/** The whole of what the coordinator wants of a node right now. */
export function ordersFor(world: World, at: NodeIndex): Extract<Event, { kind: "orders" }> {
  const { hub, now } = world;
  const id = idOf(at);
  const owed = [...hub.lease.holders, ...hub.lease.broken]
    .filter((each) => each.nodeId === id)
    .map((each) => each.token);
  const acknowledged = wordsOf(hub.presence[at])
    .map((word) => word.token)
    .filter((token) => !owed.includes(token));
  const job = hub.jobs[at] ?? null;
  const nothing = { kind: "orders", desired: null, turn: null, waiting: null, confirm: null } as const;
  if (job === null || !isActive(job)) return { ...nothing, acknowledged };
  const view = leaseViewOf(world, at, job);
  const own = holderOf(hub.lease, id);
  const isHeld = own !== undefined && (own.jobId === job.id || own.jobId === null);
  const denied = isHeld
    ? (view.asker.noTurn ?? (own.phase === "reserved" ? view.group.gate : null))
    : denyReserve(hub.lease, view, now);
  const { confirming } = job;
  const isToConfirm =
    confirming !== null &&
    own?.phase === "in-flight" &&
    own.token === confirming.token &&
    hub.presence[at]?.hello.instanceId === confirming.instanceId;
  return {
    ...nothing,
    desired: desiredOf(job),
    turn: denied === null ? { jobId: job.id, peers: [] } : null,
    waiting: denied === null ? null : { code: denied.code, message: denied.message },
    confirm: isToConfirm ? { token: confirming.token, instanceId: confirming.instanceId } : null,
    acknowledged,
  };
}

const desiredOf = (job: JobRecord): Desired => ({
  jobId: job.id,
  kind: job.kind === "rollback" ? "rollback" : "update",
  cause: job.cause,
  release: job.kind === "rollback" ? null : job.release,
  build: job.kind === "rollback" ? null : job.to,
  retry: job.retry,
  jitterMs: 0,
});

const NOT_FOUND: Denied = { code: "not-found", message: "There is no such node.", retryAfterMs: 0 };
const NOT_YOUR_TURN: Denied = { code: "not-your-turn", message: "It has no such job.", retryAfterMs: 0 };
const STALE_TOKEN: Denied = { code: "stale-token", message: "No job holds a lease.", retryAfterMs: 0 };

/** Nobody knows what became of a request. */
export const unanswered = (command: LeaseCommand): Event | null =>
  failed(command, { kind: "unreachable", code: "unreachable", message: "Nobody answered." });

const refusal = (command: LeaseCommand, denied: Denied): Event | null =>
  failed(command, { ...denied, kind: "refused" });

const failed = (command: LeaseCommand, failure: LeaseFailure): Event | null =>
  command.kind === "cancel" ? null : failedEvent(command.kind, command.op, failure);

const failedEvent = (kind: "reserve" | "renew" | "commit", op: Op, failure: LeaseFailure): Event => ({
  kind: `${kind}-failed`,
  op,
  failure,
});
