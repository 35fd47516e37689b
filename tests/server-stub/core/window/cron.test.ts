/** What the days of an expression are, against node-cron's own matcher, and what is refused. */
import { createTask } from "node-cron";
import { describe, expect, test } from "vitest";
import { readCron } from "../../../../server-stub/core/window/cron.ts";

const DAY_MS = 86_400_000;

describe("the days on which it comes due are those of node-cron", () => {
  test.each([
    "0 12 * * *",
    "0 12 1,15,31 * *",
    "0 12 L * *",
    "0 12 L-3 * *",
    "0 12 15W * *",
    "0 12 1W * *",
    "0 12 31W * *",
    "0 12 LW * *",
    "0 12 * * 1-5",
    "0 12 * * 7",
    "0 12 * * 5#2",
    "0 12 * * 7#5",
    "0 12 * * 5L",
    "0 12 1-7 * sun",
    "0 12 29 feb *",
    "0 12 */10 jan,jul mon-wed",
    "0 12 ? * 0L,3#1",
  ])("%s", async (text) => {
    const cron = readCron(text);
    if (!cron.ok) throw new Error(cron.error.message);
    const task = createTask(text, () => undefined, { timezone: "UTC" });
    const theirs: string[] = [];
    const ours: string[] = [];
    const from = Date.UTC(2023, 11, 1, 12);
    for (let at = from; at < from + 800 * DAY_MS; at += DAY_MS) {
      const date = new Date(at);
      const name = date.toISOString().slice(0, 10);
      if (task.match(date)) theirs.push(name);
      const days = cron.value.daysOf(date.getUTCFullYear(), date.getUTCMonth() + 1);
      if (days.includes(date.getUTCDate())) ours.push(name);
    }
    await task.destroy();
    expect(ours.length).toBeGreaterThan(0);
    expect(ours).toEqual(theirs);
  });
});

describe("refused is what", () => {
  test.each([
    ["* * * * * *", "has six fields"],
    ["* * * *", "has four"],
    ["@midnight", "is a name"],
    ["61 * * * *", "has a minute too many"],
    ["* 24 * * *", "has an hour too many"],
    ["* * 0 * *", "has no such day"],
    ["* * * 13 *", "has no such month"],
    ["* * * * 8", "has no such weekday"],
    ["0-999999999 * * * *", "is a range that would fill the memory"],
    ["*/0 * * * *", "steps by nothing"],
    ["a b c d e", "is no cron at all"],
    ["1.5 * * * *", "has a fraction"],
    ["; * * * *", "has odd characters"],
    ["30-20 * * * x", "is two kinds of nonsense"],
  ])("%s %s", (text) => {
    const cron = readCron(text);
    expect(cron.ok ? "taken" : cron.error.code).toBe("cron-invalid");
  });

  test.each([
    ["0 0 30 2 *", "30 February"],
    ["0 0 31 4,6,9,11 *", "the 31st of short months"],
    ["0 0 1 * 5#2", "a second Friday that is the first"],
    ["0 0 31W 2 *", "the working day nearest to 31 February"],
  ])("%s never comes due: %s", (text) => {
    const cron = readCron(text);
    expect(cron.ok ? "taken" : cron.error.code).toBe("window-never-opens");
  });

  test("and 29 February on a Monday is rare, but comes", () => {
    expect(readCron("0 0 29 2 1").ok).toBe(true);
  });
});
