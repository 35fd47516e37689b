/**
 * Heartbeats that say nothing new, which are nearly all of them: they are answered by what was said last, and nothing is
 * read, decided or written for them.
 *
 * Invariants: only in a session over WebSocket, which is told at once whatever else becomes new (`push`); only
 * when the heartbeat says what the one before it said, and nothing was written of the node, or of how its group is set
 * up, since that one was taken in; never while the node is at work under a lease or has words to say, and not for long.
 */
import type { Heartbeat } from "../../protocol/frames.ts";
import type { GroupName, NodeId } from "../../protocol/names.ts";
import type { DurationMs } from "../../protocol/time.ts";
import type { Context } from "./context.ts";
import type { OrdersBody, Steady } from "./live-nodes.ts";
import { isSame } from "./same.ts";

/**
 * What is wanted of a node that waits may also depend on others, and on the time. What they do is pushed to it, and a
 * rollout looks at its nodes every second; that somebody who was silent for a moment is heard again is found out by looking.
 */
const IN_A_ROLLOUT_MS: DurationMs = 30_000;
const WITH_A_JOB_MS: DurationMs = 10_000;
const WITHOUT_MS: DurationMs = 600_000;
/** Something was written of others in its group. */
const BESIDE_OTHERS_MS: DurationMs = 10_000;

/** Notes what the answer to a heartbeat will rest on, before it is taken in; null where each is to be taken in. */
export function beginSteady(ctx: Context, nodeId: NodeId, group: GroupName, frame: Heartbeat): Steady | null {
  const { door, address } = ctx.live.get(nodeId);
  if (door === undefined || frame.journal.kind !== "idle" || frame.finalWords.length > 0) return null;
  const { writes } = ctx;
  return {
    group,
    address,
    writes: writes.of(nodeId, group),
    within: writes.within(group),
    atMs: ctx.now(),
  };
}

/** Whether what was said last is the answer to this heartbeat too. */
export function isSteady(ctx: Context, nodeId: NodeId, before: Heartbeat | null, frame: Heartbeat): boolean {
  const { steady, address, orders, door } = ctx.live.get(nodeId);
  if (steady === null || orders === null || door === undefined || before === null) return false;
  if (steady.address !== address || steady.writes !== ctx.writes.of(nodeId, steady.group)) return false;
  const isAlone = steady.within === ctx.writes.within(steady.group);
  return (
    ctx.now() - steady.atMs < (isAlone ? longest(orders) : BESIDE_OTHERS_MS) && saysTheSame(before, frame)
  );
}

function longest({ desired, diagnose }: OrdersBody): DurationMs {
  if (desired === null) return diagnose === undefined ? WITHOUT_MS : WITH_A_JOB_MS;
  return desired.cause === "rollout" ? IN_A_ROLLOUT_MS : WITH_A_JOB_MS;
}

/** But for its number. */
export const saysTheSame = (a: Heartbeat, b: Heartbeat): boolean =>
  a === b || isSame(a, { ...b, seq: a.seq });
