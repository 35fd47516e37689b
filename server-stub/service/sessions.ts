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
import { hear, hearAgain, open, type Presence, protocolOf } from "../core/presence/presence.ts";
import { type Context, newNonce } from "./context.ts";
import type { Sessions } from "./coordinator.ts";
import { beginDiagnosis, takeDiagnosis } from "./diagnosis.ts";
import { followUp } from "./follow-up.ts";
import { appendLog, wantedNext } from "./job-log.ts";
import { nextOrders, ordersAfterLines, push, sameOrders, sameOrdersText } from "./push.ts";
import { takeReport } from "./reports.ts";
import { isSame } from "./same.ts";
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
  again: (nodeId, said, seq, from) => again(ctx, nodeId, said, seq, from),
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
  let counted: "no" | Counted = "no";
  for (const frame of frames) {
    if (frame.type === "hello") {
      answers.push(await hello(ctx, nodeId, frame));
      continue;
    }
    const taken = await message(ctx, nodeId, frame);
    if (typeof taken !== "string") answers.push(taken);
    else if (counted === "no" || WEIGHT[taken] > WEIGHT[counted]) counted = taken;
  }
  if (counted === "no") return answers;
  const orders = await ORDERS[counted](ctx, nodeId);
  return orders === null ? answers : [...answers, orders];
}

/** What a message that counted says, and so what is to be answered; of several what says most. */
type Counted = "the-same" | "lines" | "news";
const WEIGHT = { "the-same": 0, lines: 1, news: 2 } as const satisfies Record<Counted, number>;
const ORDERS: Readonly<
  Record<Counted, (ctx: Context, nodeId: NodeId) => Orders | null | Promise<Orders | null>>
> = {
  "the-same": sameOrders,
  lines: ordersAfterLines,
  news: (ctx, nodeId) => nextOrders(ctx, nodeId, false),
};

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
  const last = (await ctx.store.activeJob(nodeId)) ?? (await ctx.store.lastJob(nodeId));
  if (last === null) return new Map();
  return new Map([[last.value.id, await wantedNext(ctx, last.value.id)]]);
}

/** What a message that counted says; or why it does not count. */
async function message(
  ctx: Context,
  nodeId: NodeId,
  frame: Heartbeat | Log | Diagnosis,
): Promise<Refused | Counted> {
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
  if (frame.type === "log") {
    await takeLog(ctx, nodeId, frame);
    return "lines";
  }
  live.steady = null;
  if (frame.type === "diagnosis") await takeDiagnosis(ctx, nodeId, frame);
  else await takeHeartbeat(ctx, nodeId, before, heard.presence, frame);
  return "news";
}

/** In the node's turn only if nobody else has it: whoever was there first may change the answer. */
function again(ctx: Context, nodeId: NodeId, said: Heartbeat, seq: number, from: string): string | null {
  if (ctx.live.isBusy(nodeId)) return null;
  const live = ctx.live.get(nodeId);
  const presence = hearAgain(live.presence, said, seq, ctx.now());
  if (presence === null || live.address !== from) return null;
  if (!isSteady(ctx, nodeId, presence.heartbeat, said)) return null;
  // Whoever brings it keeps it as well: one of both is enough, and next time they need not be compared.
  live.presence = presence.heartbeat === said ? presence : { ...presence, heartbeat: said };
  live.unwrittenSeenAt = ctx.wall();
  return sameOrdersText(ctx, nodeId);
}

async function takeLog(ctx: Context, nodeId: NodeId, frame: Log): Promise<void> {
  const active = await ctx.store.activeJob(nodeId);
  const job = active?.value.id === frame.jobId ? active : await ctx.store.job(frame.jobId);
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
  const news = newsIn(before?.heartbeat ?? null, frame);
  if (!taken.isForOthers && news === "none") return;
  const isForOthers = taken.isForOthers || news === "for-its-group";
  const followed = followUp(ctx, nodeId, taken.node.group, { isForOthers, rolloutIds: taken.rolloutIds });
  // To whom it is pushed it need not be answered, and a rollout of thousands takes its time.
  if (ctx.live.get(nodeId).door === undefined) await followed;
}

/** Something that its rollout may wait for, such as that a build got ready, or its group: a node got well, leadership moved. */
function newsIn(before: Heartbeat | null, after: Heartbeat): "none" | "for-its-rollout" | "for-its-group" {
  if (
    before === null ||
    before.health.healthy !== after.health.healthy ||
    before.health.caughtUp !== after.health.caughtUp ||
    before.health.role !== after.health.role ||
    before.journal.kind !== after.journal.kind
  ) {
    return "for-its-group";
  }
  const isTheSame = before.update.state === after.update.state && before.update.jobId === after.update.jobId;
  return isTheSame ? "none" : "for-its-rollout";
}

/** Something of the node that people are shown, and that is not written each time. */
const isShown = (before: Heartbeat | null, { health, update, journal, holdings }: Heartbeat): boolean =>
  before === null ||
  !isSame(health, before.health) ||
  !isSame(update, before.update) ||
  !isSame(journal, before.journal) ||
  !isSame(holdings, before.holdings);

const REFUSALS = {
  "unknown-session": "This is not the node's newest session: say hello again.",
  "stale-seq": "A message with this number, or a later one, has counted already.",
} as const;

const refused = (code: Refused["code"], text: string): Refused => ({ type: "refused", code, message: text });
