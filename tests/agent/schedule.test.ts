import fc from "fast-check";
import { createTask, validate } from "node-cron";
import { describe, expect, it } from "vitest";
import { silentLog } from "../../agent/effects/log.ts";
import { readSchedule, startPolling } from "../../agent/schedule.ts";
import { err, ok } from "../../protocol/result.ts";

const EVERY_SECOND = "* * * * * *";
const common = { schedule: EVERY_SECOND, jitterMs: 0, now: Date.now, random: () => 0, log: silentLog };

describe("polling by schedule", () => {
  it("asks when it is time, and says when it did and how it went", async () => {
    let asked = 0;
    const polling = startPolling({
      ...common,
      enabled: true,
      poll: async () => {
        asked += 1;
        return asked === 1 ? err({ code: "unreachable", message: "nobody there" }) : ok(undefined);
      },
    });
    const { nextAt } = polling.status();
    expect(polling.status()).toMatchObject({ enabled: true, schedule: EVERY_SECOND, lastAt: null });
    await expect.poll(() => polling.status().fault?.code, { timeout: 3_000 }).toBe("unreachable");
    expect(polling.status().lastAt).toBeGreaterThanOrEqual(nextAt ?? Number.POSITIVE_INFINITY);
    await expect.poll(() => polling.status().fault, { timeout: 3_000 }).toBeNull();
    polling.stop();
    expect(polling.status().nextAt).toBeNull();
  });

  it("does nothing when it is off", () => {
    const poll = () => {
      throw new Error("must not be asked");
    };
    const polling = startPolling({ ...common, enabled: false, poll });
    expect(polling.status()).toMatchObject({ enabled: false, nextAt: null, lastAt: null });
  });
});

const field = (min: number, max: number) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant("*") },
    fc.integer({ min: 2, max: 20 }).map((step) => `*/${step}`),
    fc.uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 3 }).map((values) => values.join()),
    fc
      .tuple(fc.integer({ min, max }), fc.integer({ min, max }))
      .map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
  );

describe("when it is next", () => {
  it("is what node-cron says", () => {
    const expression = fc.tuple(
      field(0, 59),
      field(0, 59),
      field(0, 23),
      field(1, 28),
      field(1, 12),
      field(0, 6),
    );
    const same = fc.property(expression, (fields) => {
      const schedule = fields.join(" ");
      fc.pre(validate(schedule));
      const task = createTask(schedule, () => undefined);
      const before = Date.now();
      const twin = task.getNextRuns(1)[0]?.getTime() ?? null;
      // Unless the second changed while they were asked.
      fc.pre(Math.floor(before / 1_000) === Math.floor(Date.now() / 1_000));
      return readSchedule(schedule)(before) === twin;
    });
    expect(fc.check(same, { numRuns: 200 }).counterexample).toBeNull();
  });

  const local = (...parts: [number, number, number, number, number, number]) => new Date(...parts).getTime();
  it.each([
    ["*/5 * * * *", local(2026, 0, 1, 10, 3, 7), local(2026, 0, 1, 10, 5, 0)],
    ["*/5 * * * *", local(2026, 0, 1, 10, 5, 0), local(2026, 0, 1, 10, 10, 0)],
    ["30 2 * * 1", local(2026, 10, 21, 12, 0, 0), local(2026, 10, 23, 2, 30, 0)],
    ["0 0 29 2 *", local(2026, 0, 1, 0, 0, 0), local(2028, 1, 29, 0, 0, 0)],
    ["59 59 23 31 12 *", local(2026, 11, 31, 23, 59, 59), local(2027, 11, 31, 23, 59, 59)],
  ])("for %s", (schedule, after, next) => {
    expect(readSchedule(schedule)(after)).toBe(next);
  });

  it("is node-cron's own affair for the last day of a month and its like", () => {
    const task = createTask("0 0 L * *", () => undefined);
    expect(readSchedule("0 0 L * *")(Date.now())).toBe(task.getNextRuns(1)[0]?.getTime());
  });
});
