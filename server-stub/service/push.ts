import type { Orders } from "../../protocol/frames.ts";
import type { GroupName, NodeId, SessionId } from "../../protocol/names.ts";
import { newestOf } from "../core/presence/presence.ts";
import type { Context } from "./context.ts";
import type { LiveNode, OrdersBody } from "./live-nodes.ts";
import { afterLines, computeOrders } from "./orders.ts";

/**
 * Orders for the node's session, numbered. Null without an echoed session; with `onlyNews` also when they say what
 * the last ones said. To be called in the node's turn, so that later orders were computed later.
 */
export async function nextOrders(ctx: Context, nodeId: NodeId, onlyNews: boolean): Promise<Orders | null> {
  return say(ctx, nodeId, await computeOrders(ctx, nodeId), onlyNews);
}

/** Orders for who has just sent lines of a log, and is told of all else by a push. */
export async function ordersAfterLines(ctx: Context, nodeId: NodeId): Promise<Orders | null> {
  const { orders, door, logNext } = ctx.live.get(nodeId);
  if (orders === null || door === undefined) return nextOrders(ctx, nodeId, false);
  return say(ctx, nodeId, afterLines(orders, logNext), false);
}

function say(ctx: Context, nodeId: NodeId, body: OrdersBody, onlyNews: boolean): Orders | null {
  const node = ctx.live.get(nodeId);
  const newest = newestOf(node.presence);
  if (newest === null) return null;
  const says = JSON.stringify(body);
  if (onlyNews && says === node.ordersSaid) return null;
  node.ordersSaid = says;
  node.orders = body;
  return numbered(node, newest.session, body);
}

/** What was said last, once more. */
export function sameOrders(ctx: Context, nodeId: NodeId): Orders | null {
  const node = ctx.live.get(nodeId);
  const newest = newestOf(node.presence);
  return newest === null || node.orders === null ? null : numbered(node, newest.session, node.orders);
}

/** The same as the text that it is sent as: most of it was made for the orders of before. */
export function sameOrdersText(ctx: Context, nodeId: NodeId): string | null {
  const node = ctx.live.get(nodeId);
  const newest = newestOf(node.presence);
  if (newest === null || node.orders === null) return null;
  node.ordersSeq += 1;
  const start = `{"type":"orders","session":${JSON.stringify(newest.session)},"seq":${node.ordersSeq}`;
  return `${start},${node.ordersSaid.slice(1)}`;
}

function numbered(node: LiveNode, session: SessionId, body: OrdersBody): Orders {
  node.ordersSeq += 1;
  return { type: "orders", session, seq: node.ordersSeq, ...body };
}

/**
 * Pushes what is new to a node that has a door open. Does not wait: the node may be at work itself right now. One that
 * has not begun yet will say all that is new by then.
 */
export function push(ctx: Context, nodeId: NodeId): void {
  const node = ctx.live.get(nodeId);
  if (node.door === undefined || node.pushIsDue) return;
  node.pushIsDue = true;
  ctx.live
    .inTurn(nodeId, async () => {
      node.pushIsDue = false;
      const orders = await nextOrders(ctx, nodeId, true);
      if (orders !== null) ctx.live.get(nodeId).door?.send(orders);
    })
    .catch((error: unknown) => {
      // What it would have been told is in the answer to its next heartbeat.
      ctx.live.get(nodeId).steady = null;
      ctx.log.error({ err: error, nodeId }, "orders could not be pushed");
    });
}

/**
 * Pushes to everybody in the group whose orders may have changed: who is named, and in a quorum group, where one
 * waits for the other, whoever has a job.
 */
export async function pushGroup(ctx: Context, name: GroupName, also: readonly NodeId[] = []): Promise<void> {
  const group = await ctx.store.group(name);
  const jobs = group?.value.mode === "quorum" ? await ctx.store.activeJobsOf(name) : [];
  for (const nodeId of new Set([...jobs.map(({ value }) => value.nodeId), ...also])) push(ctx, nodeId);
}

/** Pushes to whoever has a job, in one group or in all: a gate has opened or closed for them. */
export async function pushJobs(ctx: Context, group?: GroupName): Promise<void> {
  const jobs = await (group === undefined ? ctx.store.activeJobs() : ctx.store.activeJobsOf(group));
  for (const { value } of jobs) push(ctx, value.nodeId);
}
