import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import type { Heartbeat, Hello } from "../../../protocol/frames.ts";
import {
  ailment,
  beatsOf,
  hear,
  newestOf,
  offlineForMs,
  open,
  type Presence,
  stateOf,
} from "../../../server-stub/core/presence/presence.ts";
import { IDLE_UPDATE } from "../../harness/idle-update.ts";

const TIMING = { heartbeatMs: 5_000, offlineAfterMissed: 3, startedAtMs: 100_000 };
const BUILD = { version: "1.0.0", buildHash: "a".repeat(64) };
const HOLDINGS = { backup: null, hold: false, quarantine: [] };
const INSTANCE = randomUUID();

const HELLO: Hello = {
  type: "hello",
  protocol: 1,
  instanceId: INSTANCE,
  build: BUILD,
  platform: "linux-x64",
  runtime: "26.10.0",
  canHandOver: false,
  journal: { kind: "idle" },
  finalWords: [],
  holdings: HOLDINGS,
};

const beat = (session: string, seq: number, health: Heartbeat["health"] = { healthy: true }): Heartbeat => ({
  type: "heartbeat",
  session,
  seq,
  instanceId: INSTANCE,
  health,
  journal: { kind: "idle" },
  finalWords: [],
  update: IDLE_UPDATE,
  holdings: HOLDINGS,
});

function heard(presence: Presence, frame: Heartbeat, now: number): Presence {
  const outcome = hear(presence, frame, now);
  if (!outcome.counted) throw new Error(outcome.why);
  return outcome.presence;
}

test("who was never heard is unknown for three intervals after the start, and offline from then on", () => {
  expect(stateOf(undefined, TIMING, 100_000)).toBe("unknown");
  expect(stateOf(undefined, TIMING, 115_000)).toBe("unknown");
  expect(stateOf(undefined, TIMING, 115_001)).toBe("offline");
  expect(ailment(undefined, TIMING, 115_000)).toBe("has not been heard since the coordinator started");
  expect(offlineForMs(undefined, TIMING, 120_000)).toBe(5_000);
});

test("a hello alone is neither presence nor a session to ask for leases in", () => {
  const presence = open(HELLO, "s1", undefined, 101_000);
  expect(newestOf(presence)).toBeNull();
  expect(stateOf(presence, TIMING, 116_000)).toBe("offline");
  expect(newestOf(heard(presence, beat("s1", 1), 101_001))).toEqual({ session: "s1", instanceId: INSTANCE });
});

test("a node serves while its last heartbeat is two intervals old at most, healthy and caught up", () => {
  const presence = heard(open(HELLO, "s1", undefined, 101_000), beat("s1", 1), 102_000);
  expect(ailment(presence, TIMING, 112_000)).toBeNull();
  expect(ailment(presence, TIMING, 112_001)).toBe("missed two heartbeats");
  expect(stateOf(presence, TIMING, 117_000)).toBe("online");
  expect(ailment(presence, TIMING, 117_001)).toBe("is offline");
  expect(ailment(heard(presence, beat("s1", 2, { healthy: false }), 103_000), TIMING, 103_000)).toBe(
    "is unhealthy",
  );
  const behind = heard(presence, beat("s1", 2, { healthy: true, caughtUp: false }), 103_000);
  expect(ailment(behind, TIMING, 103_000)).toBe("is not caught up");
});

test("a node that reconnects has not been away, and serves once it is heard again", () => {
  const first = heard(open(HELLO, "s1", undefined, 101_000), beat("s1", 1), 102_000);
  const second = open(HELLO, "s2", first, 104_000);
  expect(stateOf(second, TIMING, 117_000)).toBe("online");
  expect(ailment(second, TIMING, 104_000)).toBe("has just connected");
  expect(newestOf(second)).toBeNull();
  expect(hear(second, beat("s1", 2), 104_000)).toEqual({ counted: false, why: "unknown-session" });
  expect(ailment(heard(second, beat("s2", 1), 104_500), TIMING, 104_500)).toBeNull();
});

test("healthy heartbeats are counted in a row, within a session", () => {
  let presence = open(HELLO, "s1", undefined, 101_000);
  presence = heard(presence, beat("s1", 1), 102_000);
  presence = heard(presence, beat("s1", 2), 107_000);
  expect(beatsOf(presence, TIMING)).toBe(2);
  expect(hear(presence, beat("s1", 2), 107_000)).toEqual({ counted: false, why: "stale-seq" });
  expect(beatsOf(open(HELLO, "s2", presence, 108_000), TIMING)).toBe(0);
  presence = heard(presence, beat("s1", 3, { healthy: false }), 112_000);
  expect(beatsOf(presence, TIMING)).toBe(0);
  presence = heard(presence, beat("s1", 4), 112_001);
  expect(beatsOf(presence, TIMING)).toBe(1);
});

test("heartbeats count by the time that they span, however many come in between", () => {
  const beatsAt = (instants: readonly number[]) => {
    let presence = open(HELLO, "s1", undefined, 101_000);
    for (const [at, now] of instants.entries()) presence = heard(presence, beat("s1", at + 1), now);
    return beatsOf(presence, TIMING);
  };
  expect(beatsAt([])).toBe(0);
  expect(beatsAt([102_000])).toBe(1);
  expect(beatsAt([102_000, 102_010, 102_020, 102_030])).toBe(1);
  expect(beatsAt([102_000, 102_010, 107_000, 107_010, 112_000])).toBe(3);
  expect(beatsAt([102_000, 106_000, 111_900])).toBe(3);
  // Silence is not health: two were heard.
  expect(beatsAt([102_000, 122_000])).toBe(2);
});
