/**
 * Heartbeats that say nothing new, which are nearly all of them: they are answered by what was said last, and nothing is
 * read, decided or written for them.
 *
 * Invariants: only in a session over WebSocket, which is told at once whatever else becomes new (`push`); only
 * when the heartbeat says what the one before it said, and nothing was written of the node and its group since that
 * one was taken in; never while the node is at work under a lease or has words to say, and not for long.
 */
import type { Heartbeat } from "../../protocol/frames.ts";
import type { GroupName, NodeId } from "../../protocol/names.ts";
import type { DurationMs } from "../../protocol/time.ts";
import type { Context } from "./context.ts";
import type { OrdersBody, Steady } from "./live-nodes.ts";

/** What is wanted of a node that waits may also depend on others, and on the time. */
const WITH_A_JOB_MS: DurationMs = 10_000;
const WITHOUT_MS: DurationMs = 600_000;

/** Notes what the answer to a heartbeat will rest on, before it is taken in; null where each is to be taken in. */
export function beginSteady(ctx: Context, nodeId: NodeId, group: GroupName, frame: Heartbeat): Steady | null {
  const { door, address } = ctx.live.get(nodeId);
  if (door === undefined || frame.journal.kind !== "idle" || frame.finalWords.length > 0) return null;
  return { group, address, writes: ctx.writes.of(nodeId, group), atMs: ctx.now() };
}

/** Whether what was said last is the answer to this heartbeat too. */
export function isSteady(ctx: Context, nodeId: NodeId, before: Heartbeat | null, frame: Heartbeat): boolean {
  const { steady, address, orders, door } = ctx.live.get(nodeId);
  if (steady === null || orders === null || door === undefined || before === null) return false;
  if (steady.address !== address || steady.writes !== ctx.writes.of(nodeId, steady.group)) return false;
  const mostMs = isQuiet(orders) ? WITHOUT_MS : WITH_A_JOB_MS;
  return ctx.now() - steady.atMs < mostMs && saysTheSame(before, frame);
}

/** Nothing is wanted of the node. */
const isQuiet = ({ desired, diagnose }: OrdersBody): boolean => desired === null && diagnose === undefined;

/** But for its number. */
export const saysTheSame = (a: Heartbeat, b: Heartbeat): boolean => isSame(a, { ...b, seq: a.seq });

/** Of what was JSON. Far quicker than to make JSON of both again. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const [keys, others] = [Object.keys(a), Object.keys(b)];
  return (
    keys.length === others.length &&
    keys.every((key) => key in b && isSame(memberOf(a, key), memberOf(b, key)))
  );
}

const memberOf = (of: object, key: string): unknown => (of as Readonly<Record<string, unknown>>)[key];
