import { expect, it } from "vitest";
import { silentLog } from "../../../agent/effects/log.ts";
import type { HeartbeatParts, HelloParts } from "../../../agent/session/conversation.ts";
import { startTalk } from "../../../agent/session/talk.ts";
import type { Transport } from "../../../agent/session/transport.ts";
import type { AgentFrame, CoordinatorFrame } from "../../../protocol/frames.ts";
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
const orders = (session: string): CoordinatorFrame => ({
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

function talking() {
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
  return { talk, pass, hellos: () => sent.filter(({ type }) => type === "hello").length };
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
  talk.frame(orders("a"));
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
