import {
  type AgentFrame,
  type CoordinatorFrame,
  type Diagnosis,
  type Heartbeat,
  type Hello,
  type Log,
  OLDEST_PROTOCOL,
  type Orders,
  type Refused,
} from "../../protocol/frames.ts";
import type { NodeId } from "../../protocol/names.ts";
import { agreedProtocol, welcomeProtocol } from "../../protocol/negotiate.ts";
import { hear, open, type Presence, protocolOf } from "../core/presence/presence.ts";
import { catchUpNode } from "./catch-up.ts";
import { type Context, newNonce } from "./context.ts";
import type { Sessions } from "./coordinator.ts";
import { beginDiagnosis, takeDiagnosis } from "./diagnosis.ts";
import { runRollout, runRollouts } from "./engine.ts";
import { appendLog, wantedNext } from "./job-log.ts";
import { nextOrders, push, pushGroup, sameOrders } from "./push.ts";
import { takeReport } from "./reports.ts";
import { beginSteady, isSteady } from "./steady.ts";

export const createSessions = (ctx: Context): Sessions => ({
  receive: (nodeId, frames, from) => {
    const node = ctx.live.get(nodeId);
    node.waiting += 1;
    return ctx.live.inTurn(nodeId, () => {
      node.waiting -= 1;
      if (from !== undefined) ctx.live.get(nodeId).address = from;
      return receive(ctx, nodeId, frames);
    });
  },
  again: (nodeId, said, seq, from) => again(ctx, nodeId, { ...said, seq }, from),
  attach(nodeId, door) {
    const node = ctx.live.get(nodeId);
    node.door?.superseded();
    node.door = door;
    push(ctx, nodeId);
    return () => {
      if (node.door === door) node.door = undefined;
    };
  },
});

async function receive(
  ctx: Context,
  nodeId: NodeId,
  frames: readonly AgentFrame[],
): Promise<readonly CoordinatorFrame[]> {
  const answers: CoordinatorFrame[] = [];
  let counted: "no" | "the-same" | "news" = "no";
  for (const frame of frames) {
    if (frame.type === "hello") {
      answers.push(await hello(ctx, nodeId, frame));
      continue;
    }
    const taken = await message(ctx, nodeId, frame);
    if (typeof taken !== "string") answers.push(taken);
    else if (counted !== "news") counted = taken;
  }
  if (counted === "no") return answers;
  const orders = counted === "the-same" ? sameOrders(ctx, nodeId) : await nextOrders(ctx, nodeId, false);
  return orders === null ? answers : [...answers, orders];
}

/** Opens a session. What the hello says counts once the nonce comes back. */
async function hello(ctx: Context, nodeId: NodeId, frame: Hello): Promise<CoordinatorFrame> {
  const node = await ctx.store.node(nodeId);
  // A connection that was let in before may still be open, and may have been attached since.
  if (node === null) {
    ctx.live.get(nodeId).door?.revoked();
    ctx.live.forget(nodeId);
    return refused("unknown-session", `There is no node ${nodeId}.`);
  }
  if (node.value.membership === "revoked") {
    ctx.live.get(nodeId).door?.revoked();
    return refused("unknown-session", `${node.value.name}'s credential was revoked.`);
  }
  const protocol = agreedProtocol(frame.protocol);
  if (protocol === null) {
    return refused(
      "protocol",
      `This coordinator speaks protocol ${OLDEST_PROTOCOL} and later, and no longer ${frame.protocol}.`,
    );
  }
  const live = ctx.live.get(nodeId);
  const session = newNonce(ctx.random);
  live.presence = open(frame, session, live.presence, ctx.now());
  live.ordersSeq = 0;
  live.ordersSaid = "";
  live.orders = null;
  live.steady = null;
  live.logNext = await logsToAskFor(ctx, nodeId);
  ctx.log.info(
    { nodeId, session, instanceId: frame.instanceId, build: frame.build, protocol },
    "session opened",
  );
  const { name, group } = node.value;
  const { heartbeatMs } = ctx.timings;
  return { type: "welcome", session, nodeId, name, group, heartbeatMs, ...welcomeProtocol(protocol) };
}

/** A node that restarted in the middle of its last job may have lines of it that were never sent. */
async function logsToAskFor(ctx: Context, nodeId: NodeId): Promise<Map<string, number>> {
  const last = await ctx.store.lastJob(nodeId);
  if (last === null) return new Map();
  return new Map([[last.value.id, await wantedNext(ctx, last.value.id)]]);
}

/** Whether a message that counted says anything new; or why it does not count. */
async function message(
  ctx: Context,
  nodeId: NodeId,
  frame: Heartbeat | Log | Diagnosis,
): Promise<Refused | "the-same" | "news"> {
  const live = ctx.live.get(nodeId);
  if (frame.type === "diagnosis" && protocolOf(live.presence) < 2) {
    return refused("protocol", "A diagnosis is said in sessions of protocol 2 alone.");
  }
  const before = live.presence;
  const heard = hear(before, frame, ctx.now());
  if (!heard.counted) return refused(heard.why, REFUSALS[heard.why]);
  live.presence = heard.presence;
  live.unwrittenSeenAt = ctx.wall();
  if (frame.type === "heartbeat" && isSteady(ctx, nodeId, before?.heartbeat ?? null, frame)) {
    // The one of before says the same: what is kept for seconds, ten thousand times, is let go of late.
    live.presence = { ...heard.presence, heartbeat: before?.heartbeat ?? frame };
    return "the-same";
  }
  live.steady = null;
  if (frame.type === "log") await takeLog(ctx, nodeId, frame);
  else if (frame.type === "diagnosis") await takeDiagnosis(ctx, nodeId, frame);
  else await takeHeartbeat(ctx, nodeId, before, heard.presence, frame);
  return "news";
}

/** In the node's turn only if nobody else has it: whoever was there first may change the answer. */
function again(ctx: Context, nodeId: NodeId, frame: Heartbeat, from: string): Orders | null {
  if (ctx.live.isBusy(nodeId)) return null;
  const live = ctx.live.get(nodeId);
  const before = live.presence?.heartbeat ?? null;
  const heard = hear(live.presence, frame, ctx.now());
  if (!heard.counted || live.address !== from || !isSteady(ctx, nodeId, before, frame)) return null;
  live.presence = { ...heard.presence, heartbeat: before ?? frame };
  live.unwrittenSeenAt = ctx.wall();
  return sameOrders(ctx, nodeId);
}

async function takeLog(ctx: Context, nodeId: NodeId, frame: Log): Promise<void> {
  const job = await ctx.store.job(frame.jobId);
  if (job === null || job.value.nodeId !== nodeId) return;
  if (job.value.kind === "diagnose") await beginDiagnosis(ctx, nodeId, frame.jobId);
  ctx.live.get(nodeId).logNext.set(frame.jobId, await appendLog(ctx, frame.jobId, frame.lines));
}

async function takeHeartbeat(
  ctx: Context,
  nodeId: NodeId,
  before: Presence | undefined,
  presence: Presence,
  frame: Heartbeat,
): Promise<void> {
  const { group: known } = ctx.live.get(nodeId);
  const steady = known === null ? null : beginSteady(ctx, nodeId, known, frame);
  const taken = await takeReport(ctx, nodeId, presence, frame);
  if (taken === null) return;
  ctx.live.get(nodeId).group = taken.node.group;
  ctx.live.get(nodeId).steady = steady?.group === taken.node.group ? steady : null;
  if (isShown(before?.heartbeat ?? null, frame)) ctx.nodeNews.heard(nodeId);
  const { group } = taken.node;
  if (!taken.changed && !isNews(before?.heartbeat ?? null, frame)) return;
  for (const rolloutId of taken.rolloutIds) await runRollout(ctx, rolloutId);
  await runRollouts(ctx, group);
  await catchUpNode(ctx, nodeId);
  await pushGroup(ctx, group);
}

/** Something that others may wait for: a build got ready, a node got well, leadership moved. */
function isNews(before: Heartbeat | null, after: Heartbeat): boolean {
  if (before === null) return true;
  return (
    before.update.state !== after.update.state ||
    before.update.jobId !== after.update.jobId ||
    before.health.healthy !== after.health.healthy ||
    before.health.caughtUp !== after.health.caughtUp ||
    before.health.role !== after.health.role ||
    before.journal.kind !== after.journal.kind
  );
}

/** Something of the node that people are shown, and that is not written each time. */
function isShown(before: Heartbeat | null, { health, update, journal, holdings }: Heartbeat): boolean {
  if (before === null) return true;
  const said = JSON.stringify([health, update, journal, holdings]);
  return said !== JSON.stringify([before.health, before.update, before.journal, before.holdings]);
}

const REFUSALS = {
  "unknown-session": "This is not the node's newest session: say hello again.",
  "stale-seq": "A message with this number, or a later one, has counted already.",
} as const;

const refused = (code: Refused["code"], text: string): Refused => ({ type: "refused", code, message: text });
