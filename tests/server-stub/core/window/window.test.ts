import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Window } from "../../../../protocol/policy.ts";
import { checkWindows, isOpen, windowState } from "../../../../server-stub/core/window/window.ts";
import { type DumbWindow, dumbIsOpen } from "./twin.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const window = (cron: string, timezone: string, durationMs: number): Window => ({
  cron,
  timezone,
  durationMs,
});
const utc = (text: string): number => Date.parse(`${text}Z`);

/** Spans of time in which it is open, in UTC, found by walking in steps of a quarter of an hour. */
function spans(windows: readonly Window[], from: string, to: string): string[] {
  const found: string[] = [];
  let since: number | null = null;
  for (let at = utc(from); at <= utc(to); at += 15 * MINUTE_MS) {
    const open = isOpen(windows, at);
    if (open && since === null) since = at;
    if (!open && since !== null) {
      found.push(`${new Date(since).toISOString().slice(5, 16)} ${(at - since) / MINUTE_MS} min`);
      since = null;
    }
  }
  return found;
}

describe("where clocks are changed", () => {
  // [what, cron, zone, minutes long, from, to, open (UTC)]
  test.each([
    [
      "in Berlin a time that is left out comes that much later, once",
      "30 2 * * *",
      "Europe/Berlin",
      60,
      "2026-03-28T00:00",
      "2026-03-30T12:00",
      ["03-28T01:30 60 min", "03-29T01:30 60 min", "03-30T00:30 60 min"],
    ],
    [
      "in Berlin a time that comes twice is the first of the two",
      "30 2 * * *",
      "Europe/Berlin",
      60,
      "2026-10-24T00:00",
      "2026-10-26T12:00",
      ["10-24T00:30 60 min", "10-25T00:30 60 min", "10-26T01:30 60 min"],
    ],
    [
      "in Berlin a window that spans the change lasts as long as it always does",
      "0 1 * * *",
      "Europe/Berlin",
      180,
      "2026-03-28T22:00",
      "2026-03-29T12:00",
      ["03-29T00:00 180 min"],
    ],
    [
      "in Berlin every hour is every hour, also the one that comes twice",
      "0 * * * *",
      "Europe/Berlin",
      30,
      "2026-10-24T23:45",
      "2026-10-25T02:50",
      ["10-25T00:00 30 min", "10-25T01:00 30 min", "10-25T02:00 30 min"],
    ],
    [
      "in New York in spring",
      "15 2 * * 0",
      "America/New_York",
      30,
      "2026-03-01T00:00",
      "2026-03-16T00:00",
      ["03-01T07:15 30 min", "03-08T07:15 30 min", "03-15T06:15 30 min"],
    ],
    [
      "in New York in autumn",
      "15 1 * * 0",
      "America/New_York",
      30,
      "2026-10-25T00:00",
      "2026-11-09T00:00",
      ["10-25T05:15 30 min", "11-01T05:15 30 min", "11-08T06:15 30 min"],
    ],
    [
      "on Lord Howe Island, by half an hour forward",
      "15 2 * * *",
      "Australia/Lord_Howe",
      30,
      "2026-10-02T00:00",
      "2026-10-05T00:00",
      ["10-02T15:45 30 min", "10-03T15:45 30 min", "10-04T15:15 30 min"],
    ],
    [
      "on Lord Howe Island, by half an hour back",
      "45 1 * * *",
      "Australia/Lord_Howe",
      30,
      "2026-04-03T00:00",
      "2026-04-06T00:00",
      ["04-03T14:45 30 min", "04-04T14:45 30 min", "04-05T15:15 30 min"],
    ],
    [
      "in Kolkata never",
      "30 2 * * *",
      "Asia/Kolkata",
      60,
      "2026-03-28T00:00",
      "2026-03-30T12:00",
      ["03-28T21:00 60 min", "03-29T21:00 60 min"],
    ],
    [
      "in Nuuk in the last hour of a day, which then is left out",
      "30 23 * * *",
      "America/Nuuk",
      30,
      "2026-03-28T00:00",
      "2026-03-30T12:00",
      ["03-28T01:30 30 min", "03-29T01:30 30 min", "03-30T00:30 30 min"],
    ],
    [
      "in Beirut at midnight, which then is left out",
      "0 0 * * *",
      "Asia/Beirut",
      60,
      "2026-03-27T12:00",
      "2026-03-30T00:00",
      ["03-27T22:00 60 min", "03-28T22:00 60 min", "03-29T21:00 60 min"],
    ],
  ] as const)("%s", (_what, cron, zone, minutes, from, to, open) => {
    expect(spans([window(cron, zone, minutes * MINUTE_MS)], from, to)).toEqual(open);
  });
});

describe("says", () => {
  const nightly = window("0 22 * * *", "Europe/Berlin", 4 * HOUR_MS);

  test("that no windows are always open", () => {
    expect(windowState([], 0)).toEqual({ open: true, until: null });
  });

  test("when an open one closes, from its first instant to its last", () => {
    const from = utc("2026-01-10T21:00");
    const until = from + 4 * HOUR_MS;
    expect(windowState([nightly], from)).toEqual({ open: true, until });
    expect(windowState([nightly], until - 1)).toEqual({ open: true, until });
    expect(windowState([nightly], from - 1)).toEqual({
      open: false,
      opensAt: from,
      timezone: "Europe/Berlin",
    });
    expect(windowState([nightly], until)).toMatchObject({ open: false, opensAt: from + 24 * HOUR_MS });
  });

  test("that windows which overlap or touch are one", () => {
    const late = window("0 1 * * *", "UTC", 2 * HOUR_MS);
    const touching = window("0 3 * * *", "UTC", HOUR_MS);
    const apart = window("0 5 * * *", "UTC", HOUR_MS);
    expect(windowState([apart, touching, late, nightly], utc("2026-01-10T21:30"))).toEqual({
      open: true,
      until: utc("2026-01-11T04:00"),
    });
  });

  test("that one which always follows itself does not close", () => {
    expect(windowState([window("* * * * *", "UTC", MINUTE_MS)], 0)).toEqual({ open: true, until: null });
    expect(windowState([window("0 0 * * 0", "UTC", 168 * HOUR_MS)], 0)).toEqual({ open: true, until: null });
  });

  test("when the earliest of several opens, and in whose zone", () => {
    const tokyo = window("0 9 * * *", "Asia/Tokyo", HOUR_MS);
    expect(windowState([nightly, tokyo], utc("2026-01-10T12:00"))).toEqual({
      open: false,
      opensAt: utc("2026-01-10T21:00"),
      timezone: "Europe/Berlin",
    });
    expect(windowState([nightly, tokyo], utc("2026-01-10T02:00"))).toMatchObject({
      timezone: "Europe/Berlin",
    });
    expect(windowState([tokyo, nightly], utc("2026-01-10T23:59"))).toMatchObject({ open: true });
  });

  test("what opens only in a leap year", () => {
    const leap = window("0 0 29 2 *", "UTC", HOUR_MS);
    expect(windowState([leap], utc("2026-01-01T00:00"))).toMatchObject({ opensAt: utc("2028-02-29T00:00") });
    expect(windowState([leap], utc("2097-01-01T00:00"))).toMatchObject({ opensAt: utc("2104-02-29T00:00") });
  });
});

describe("when it is configured", () => {
  const code = (...windows: Window[]): string => {
    const checked = checkWindows(windows);
    return checked.ok ? "fine" : checked.error.code;
  };
  const good = window("0 22 * * *", "Europe/Berlin", HOUR_MS);

  test.each([
    ["fine", good],
    ["cron-invalid", window("0 22 * *", "Europe/Berlin", HOUR_MS)],
    ["window-never-opens", window("0 22 30 2 *", "Europe/Berlin", HOUR_MS)],
    ["timezone-unknown", window("0 22 * * *", "Europe/Berlim", HOUR_MS)],
    ["timezone-unknown", window("0 22 * * *", "+01:00", HOUR_MS)],
    ["timezone-unknown", window("0 22 * * *", "", HOUR_MS)],
  ])("%s", (expected, each) => {
    expect(code(good, each)).toBe(expected);
  });
});

test("is open exactly when its twin is, which goes through time minute by minute", () => {
  const zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Cairo"];
  // Around every change of clocks of the year in those zones, and at a time when there is none.
  const around = [
    "2026-03-08T07:00",
    "2026-03-29T01:00",
    "2026-04-04T15:00",
    "2026-04-23T22:00",
    "2026-06-15T12:00",
    "2026-10-03T15:30",
    "2026-10-25T01:00",
    "2026-10-29T21:00",
    "2026-11-01T06:00",
  ];
  const few = (max: number, most: number) =>
    fc
      .uniqueArray(fc.nat({ max }), { minLength: 1, maxLength: most })
      .map((all) => all.sort((a, b) => a - b));
  const all = (count: number) => fc.constant(Array.from({ length: count }, (_, at) => at));
  const dumbWindow: fc.Arbitrary<DumbWindow> = fc.record({
    minutes: few(59, 4),
    hours: fc.oneof({ weight: 3, arbitrary: few(5, 4) }, { weight: 1, arbitrary: all(24) }),
    weekdays: fc.oneof(all(7), few(6, 3)),
    timezone: fc.constantFrom(...zones),
    minutesLong: fc.integer({ min: 1, max: 200 }),
  });
  const asWindow = ({ minutes, hours, weekdays, timezone, minutesLong }: DumbWindow): Window =>
    window(`${minutes.join()} ${hours.join()} * * ${weekdays.join()}`, timezone, minutesLong * MINUTE_MS);
  const played = fc.check(
    fc.property(
      fc.array(dumbWindow, { minLength: 1, maxLength: 2 }),
      fc.constantFrom(...around),
      fc.array(fc.integer({ min: -300, max: 300 }), { minLength: 8, maxLength: 8 }),
      (dumb, instant, minutes) => {
        const windows = dumb.map(asWindow);
        for (const minute of minutes) {
          const at = utc(instant) + minute * MINUTE_MS;
          if (isOpen(windows, at) !== dumbIsOpen(dumb, at)) {
            throw new Error(`they differ at ${new Date(at).toISOString()}`);
          }
          const state = windowState(windows, at);
          const turns = state.open ? state.until : state.opensAt;
          if (turns === null) continue;
          expect(dumbIsOpen(dumb, turns)).toBe(!state.open);
          // Nothing happens in between.
          const middle = at + Math.floor((turns - at) / MINUTE_MS / 2) * MINUTE_MS;
          expect(dumbIsOpen(dumb, middle)).toBe(state.open);
        }
      },
    ),
    { numRuns: 250, seed: 20260721 },
  );
  expect(played.failed ? fc.defaultReportMessage(played) : "it held").toBe("it held");
});
