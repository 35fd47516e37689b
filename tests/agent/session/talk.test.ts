import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { silentLog } from "../../../agent/effects/log.ts";
import type { HeartbeatParts, HelloParts } from "../../../agent/session/conversation.ts";
import { type SessionSource, startTalk } from "../../../agent/session/talk.ts";
import type { Transport } from "../../../agent/session/transport.ts";
import type { AgentFrame, CoordinatorFrame, Orders } from "../../../protocol/frames.ts";
import type { LogLine } from "../../../protocol/job.ts";
import { IDLE_UPDATE } from "../../harness/idle-update.ts";

const instanceId = "00000000-0000-4000-8000-000000000001";
const about = { journal: { kind: "idle" as const }, finalWords: [] };
const holdings = { backup: null, hold: false, quarantine: [] };
const heartbeat: HeartbeatParts = {
  ...about,
  instanceId,
  holdings,
  health: { healthy: true },
  update: IDLE_UPDATE,
};
const build = { version: "1.0.0", buildHash: "a".repeat(64) };
const node = { platform: "linux-x64", runtime: "26.0.0", canHandOver: false } as const;
const hello: HelloParts = { ...about, ...node, instanceId, holdings, build };
const HEARTBEAT_MS = 5_000;

const welcome = (session: string): CoordinatorFrame => ({
  type: "welcome",
  session: session.repeat(32),
  nodeId: "n-000000000000",
  name: "one",
  group: "db",
  heartbeatMs: HEARTBEAT_MS,
});
const ordersOf = (session: string): Orders => ({
  type: "orders",
  session: session.repeat(32),
  seq: 1,
  desired: null,
  turn: null,
  waiting: null,
  confirm: null,
  acknowledged: [],
  logNext: [],
});
const unknown: CoordinatorFrame = { type: "refused", code: "unknown-session", message: "Not the newest." };

type Logs = Partial<Pick<SessionSource, "diagnosis" | "logLines">>;

function talking(logs: Logs = {}) {
  let now = 0;
  const sent: AgentFrame[] = [];
  const timers = new Map<() => void, number>();
  const transport: Transport = {
    kind: "websocket",
    server: "wss://coordinator",
    send: (frames) => sent.push(...frames),
    probe: () => undefined,
    close: () => undefined,
  };
  const talk = startTalk(transport, {
    source: {
      hello: () => hello,
      heartbeat: () => heartbeat,
      diagnosis: () => null,
      logLines: () => Promise.resolve([]),
      ...logs,
    },
    events: {
      welcomed: () => undefined,
      orders: () => undefined,
      lost: () => undefined,
      ended: () => undefined,
    },
    clock: { now: () => now, uptime: () => now },
    scheduler: {
      after: (ms, run) => {
        timers.set(run, now + ms);
        return () => void timers.delete(run);
      },
    },
    log: silentLog,
  });
  const pass = (ms: number) => {
    now += ms;
    for (const [run, at] of timers) {
      if (at > now || !timers.delete(run)) continue;
      run();
    }
  };
  return { talk, pass, sent, hellos: () => sent.filter(({ type }) => type === "hello").length };
}

// Found by simulation, seed 14: hello was said sixty times a second, for ever.
it("does not let two sessions end each other in turns, after a hello that came twice", () => {
  const { talk, pass, hellos } = talking();
  talk.frame(welcome("a"));
  for (let round = 0; round < 20; round++) {
    pass(20);
    talk.frame(unknown);
    talk.frame(welcome("b"));
  }
  expect(hellos()).toBe(1);
});

it("says hello once more, and no sooner than it may, when no orders come", () => {
  const { talk, pass, hellos } = talking();
  talk.frame(welcome("a"));
  pass(20);
  for (let round = 0; round < 3; round++) talk.frame(unknown);
  pass(900);
  expect(hellos()).toBe(1);
  pass(100);
  expect(hellos()).toBe(2);
});

it("does not say it when orders show that the session holds", () => {
  const { talk, pass, hellos } = talking();
  talk.frame(welcome("a"));
  pass(20);
  talk.frame(unknown);
  talk.frame(ordersOf("a"));
  pass(2_000);
  expect(hellos()).toBe(1);
});

it("says hello again as soon as a session that has lasted is not known", () => {
  const { talk, pass, hellos } = talking();
  talk.frame(welcome("a"));
  pass(HEARTBEAT_MS);
  talk.frame(unknown);
  expect(hellos()).toBe(2);
});

const JOB = "j-000000000000";
const asked: CoordinatorFrame = {
  ...ordersOf("a"),
  diagnose: { jobId: JOB },
  logNext: [{ jobId: JOB, index: 0 }],
};
const line: LogLine = { index: 0, at: 0, source: "agent", step: null, text: "All is well." };

/** A log that is read in two steps, as a file is: `read` lets the one that waits go on with what was there before. */
function slowLog() {
  const lines: LogLine[] = [];
  const waiting: (() => void)[] = [];
  return {
    lines,
    logLines: (_: string, from: number): Promise<readonly LogLine[]> => {
      const then = lines.slice(from);
      return new Promise((resolve) => waiting.push(() => resolve(then)));
    },
    read: async () => {
      waiting.shift()?.();
      await setImmediate();
    },
    isBeingRead: () => waiting.length > 0,
  };
}

it("sends lines that were written while the log was being read", async () => {
  const log = slowLog();
  const { talk, pass, sent } = talking({ logLines: log.logLines });
  talk.frame(welcome("a"));
  talk.frame(asked);
  pass(0);
  log.lines.push(line);
  talk.logged();
  await log.read();
  pass(200);
  await log.read();
  expect(sent.filter(({ type }) => type === "log")).toMatchObject([{ lines: [line] }]);
});

it("tells how a diagnosis ended after all of its lines, also when it ends while its log is being read", async () => {
  const log = slowLog();
  let ended = false;
  const diagnosis = () => (ended ? { jobId: JOB, ok: true, findings: [] } : null);
  const { talk, pass, sent } = talking({ logLines: log.logLines, diagnosis });
  talk.frame(welcome("a"));
  talk.frame(asked);
  pass(0);
  log.lines.push(line);
  ended = true;
  talk.logged();
  for (let reads = 0; reads < 4; reads++) {
    await log.read();
    pass(200);
  }
  expect(sent.map(({ type }) => type).filter((type) => type === "log" || type === "diagnosis")).toEqual([
    "log",
    "diagnosis",
  ]);
});

it("looks again at logs that it was told of while it was sending", async () => {
  const log = slowLog();
  const { talk, pass } = talking({ logLines: log.logLines });
  talk.frame(welcome("a"));
  talk.frame(asked);
  pass(0);
  talk.logged();
  pass(200);
  await log.read();
  pass(0);
  expect(log.isBeingRead()).toBe(true);
});
