import { describe, expect, it } from "vitest";
import { backoffMs } from "../../../agent/session/backoff.ts";
import {
  type Conversation,
  greeting,
  type HeartbeatParts,
  hear,
  sayHeartbeat,
} from "../../../agent/session/conversation.ts";
import { cursorsAfter, cursorsSent, fitIntoFrame } from "../../../agent/session/log-cursors.ts";
import { MAX_FRAME_BYTES, type Orders, PROTOCOL } from "../../../protocol/frames.ts";
import type { LogLine } from "../../../protocol/job.ts";
import { IDLE_UPDATE } from "../../harness/idle-update.ts";

const S1 = "1".repeat(32);
const S2 = "2".repeat(32);
const JOB = "j-0123456789ab";
const open: Conversation = { kind: "open", protocol: 2, session: S1, seq: 4, heard: 3, heartbeatMs: 5_000 };
const orders = (session: string, seq: number): Orders => ({
  type: "orders",
  session,
  seq,
  desired: null,
  turn: null,
  waiting: null,
  confirm: null,
  acknowledged: [],
  logNext: [],
});
const welcome = {
  type: "welcome",
  session: S2,
  nodeId: "n-0123456789ab",
  name: "one",
  group: "g",
  heartbeatMs: 50,
} as const;
const refused = (code: "unknown-session" | "stale-seq" | "protocol") =>
  ({ type: "refused", code, message: "no" }) as const;

describe("what is heard", () => {
  it.each([
    ["a welcome opens", greeting, welcome, "opened", "open"],
    ["a welcome opens anew", open, welcome, "opened", "open"],
    ["the same welcome again does not", open, { ...welcome, session: S1 }, "ignored", "open"],
    ["newer orders count", open, orders(S1, 4), "orders", "open"],
    ["the same orders again do not", open, orders(S1, 3), "ignored", "open"],
    ["orders of another session do not", open, orders(S2, 9), "ignored", "open"],
    ["orders before the welcome do not", greeting, orders(S1, 9), "ignored", "greeting"],
    ["an unknown session is greeted again", open, refused("unknown-session"), "hello-again", "greeting"],
    ["a late refusal while greeting is not", greeting, refused("unknown-session"), "ignored", "greeting"],
    [
      "a coordinator that does not know our protocol is greeted in its own",
      greeting,
      refused("protocol"),
      "hello-again",
      "greeting",
    ],
    [
      "one that knows none of ours refuses",
      { kind: "greeting", protocol: 1 },
      refused("protocol"),
      "refused",
      "greeting",
    ],
    ["a stale number changes nothing", open, refused("stale-seq"), "refused", "open"],
  ] as const)("%s", (_what, before, frame, heard, after) => {
    const result = hear(before, frame);
    expect([result.heard.kind, result.conversation.kind]).toEqual([heard, after]);
  });
});

describe("protocols", () => {
  const parts: HeartbeatParts = {
    instanceId: "00000000-0000-4000-8000-000000000001",
    health: { healthy: true },
    journal: { kind: "idle" },
    finalWords: [],
    update: IDLE_UPDATE,
    holdings: { backup: null, hold: false, quarantine: [] },
    crashes: 3,
  };
  it.each([
    [undefined, 1, false],
    [2, 2, true],
    [9, PROTOCOL, true],
  ])("a welcome with %s opens a session of protocol %i", (told, protocol, hasCrashes) => {
    const { conversation } = hear(greeting, told === undefined ? welcome : { ...welcome, protocol: told });
    if (conversation.kind !== "open") throw new Error("no session");
    expect(conversation.protocol).toBe(protocol);
    const { frame } = sayHeartbeat(conversation, parts);
    expect("crashes" in frame).toBe(hasCrashes);
  });
  it("go down one by one, and begin at our own in every new session", () => {
    const lower = hear(greeting, refused("protocol")).conversation;
    expect(lower).toEqual({ kind: "greeting", protocol: PROTOCOL - 1 });
    const opened = hear(lower, welcome).conversation;
    expect(hear(opened, refused("unknown-session")).conversation).toEqual(greeting);
  });
});

const line = (index: number, text = "x"): LogLine => ({ index, at: 0, source: "agent", step: null, text });

describe("log cursors", () => {
  it("begin at the first line of the job at work, until orders say otherwise", () => {
    expect(cursorsAfter(new Map(), [], JOB).get(JOB)?.sent).toBe(0);
    expect(cursorsAfter(new Map(), [{ jobId: JOB, index: 12 }], JOB).get(JOB)?.sent).toBe(12);
  });
  it("do not send again what is on its way", () => {
    const sent = cursorsSent(cursorsAfter(new Map(), [], JOB), JOB, [line(0), line(1)]);
    expect(cursorsAfter(sent, [{ jobId: JOB, index: 0 }], JOB).get(JOB)?.sent).toBe(2);
  });
  it("go back when the coordinator keeps asking for the same line", () => {
    let cursors = cursorsSent(cursorsAfter(new Map(), [], JOB), JOB, [line(0), line(1)]);
    const told: number[] = [];
    for (let i = 0; i < 4; i++) {
      cursors = cursorsAfter(cursors, [{ jobId: JOB, index: 1 }], JOB);
      told.push(cursors.get(JOB)?.sent ?? -1);
    }
    expect(told).toEqual([2, 2, 2, 1]);
  });
  it("forget jobs that are over", () => {
    const cursors = cursorsAfter(new Map(), [{ jobId: JOB, index: 3 }], null);
    expect(cursorsAfter(cursors, [], null).size).toBe(0);
  });
  it("fit into a frame, one line at the least", () => {
    const long = Array.from({ length: 100 }, (_, index) => line(index, "é".repeat(4_000)));
    const fitted = fitIntoFrame(long);
    expect(fitted.length).toBeGreaterThan(1);
    expect(Buffer.byteLength(JSON.stringify(fitted))).toBeLessThan(MAX_FRAME_BYTES);
    expect(fitIntoFrame([line(0, "y".repeat(MAX_FRAME_BYTES))])).toHaveLength(1);
  });
});

describe("the wait before a reconnect", () => {
  it("is anywhere between nothing and a limit that doubles up to the longest", () => {
    const reconnect = { minMs: 500, maxMs: 30_000 };
    const longest = [1, 2, 3, 7, 8, 1_000].map((attempt) => backoffMs(attempt, reconnect, () => 1));
    expect(longest).toEqual([500, 1_000, 2_000, 30_000, 30_000, 30_000]);
    expect(backoffMs(5, reconnect, () => 0)).toBe(0);
  });
});
