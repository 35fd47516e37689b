import { describe, expect, test } from "vitest";
import type { Heartbeat } from "../../../protocol/frames.ts";
import { numberIn, wordsOf } from "../../../server-stub/live/same-words.ts";
import { IDLE_UPDATE } from "../../harness/idle-update.ts";

const frame = (more: Partial<Heartbeat> = {}): Heartbeat => ({
  type: "heartbeat",
  session: "5e55",
  seq: 7,
  instanceId: "1",
  health: { healthy: true },
  journal: { kind: "idle" },
  finalWords: [],
  update: IDLE_UPDATE,
  holdings: { backup: null, hold: false, quarantine: [] },
  ...more,
});
const text = (more: Partial<Heartbeat> = {}): string => JSON.stringify(frame(more));

describe("a heartbeat in the same words", () => {
  const words = wordsOf(text(), frame());
  const found = (other: string): number | null => (words === null ? null : numberIn(other, words));

  test("is known by its text, and its number is read", () => {
    expect(found(text({ seq: 8 }))).toBe(8);
    expect(found(text({ seq: 123_456_789 }))).toBe(123_456_789);
  });

  test.each([
    ["another health", text({ seq: 8, health: { healthy: false } })],
    ["another session", text({ seq: 8, session: "5e56" })],
    ["another end", `${text({ seq: 8 })} `],
    ["a number that is none", text().replace('"seq":7', '"seq":1e9')],
    ["a number with a sign", text().replace('"seq":7', '"seq":-7')],
    ["a fraction", text().replace('"seq":7', '"seq":7.5')],
    ["nothing", text().replace('"seq":7', '"seq":')],
    ["a leading zero, which is no JSON", text().replace('"seq":7', '"seq":08')],
    ["a number too long to be exact", text().replace('"seq":7', `"seq":${"9".repeat(16)}`)],
    ["a member slipped in", text().replace('"seq":7', '"seq":8,"x":7')],
    ["half of it", text().slice(0, 60)],
    ["an empty text", ""],
  ])("with %s is read", (_, other) => {
    expect(found(other)).toBeNull();
  });

  test("head and tail may not overlap in a shorter text", () => {
    const short = wordsOf('{"seq":1,"seq":1}', frame({ seq: 1 }));
    expect(short).not.toBeNull();
    expect(short === null ? null : numberIn('{"seq":1}', short)).toBeNull();
  });

  test.each([
    ["writes its number in another way", text().replace('"seq":7', '"seq" : 7')],
    ["names it twice", text().replace('"seq":7', '"seq":6,"seq":7')],
    ["writes it as a fraction", text().replace('"seq":7', '"seq":7.0')],
    ["has no number", "{}"],
  ])("nobody is known by a text that %s", (_, odd) => {
    expect(wordsOf(odd, frame())).toBeNull();
  });

  test("a name within a string is not taken for the number", () => {
    const health = { healthy: true, role: 'x","seq":7,"y' } as unknown as Heartbeat["health"];
    const odd = frame({ instanceId: '"seq":7', health });
    const own = wordsOf(JSON.stringify(odd), odd);
    expect(own === null ? null : numberIn(JSON.stringify({ ...odd, seq: 9 }), own)).toBe(9);
  });
});
