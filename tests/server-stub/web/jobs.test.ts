import { describe, expect, test } from "vitest";
import type { Job, LogLine } from "../../../protocol/job.ts";
import {
  jobsQuery,
  standing,
  wayOf,
  whyNoCancel,
  whyNoRetry,
} from "../../../server-stub/web/pages/jobs/model.ts";
import { type JobLog, PART_LINES, withLines } from "../../../server-stub/web/pages/jobs/parts.ts";
import { plainText } from "../../../server-stub/web/pages/jobs/plain-text.ts";
import { node } from "./node.ts";

const BUILD = { version: "1.0.0", buildHash: "0".repeat(64) };
const job = (change: Partial<Job> = {}): Job => ({
  id: "j-000000000001",
  kind: "update",
  nodeId: "n-000000000001",
  cause: "operator",
  rolloutId: null,
  release: "1.1.0",
  from: BUILD,
  to: null,
  retry: false,
  retryOf: null,
  status: "running",
  step: "fetch",
  percent: 12,
  bytesPerSecond: null,
  reason: null,
  createdAt: 0,
  startedAt: 0,
  endedAt: null,
  ...change,
});

describe("what programs write is shown as harmless text", () => {
  test.each([
    ["plain", "plain"],
    ["a\tb", "a\tb"],
    ["\u001b[1;31mred\u001b[0m and \u001b[2Jcleared", "red and cleared"],
    ["\u009b31mred", "red"],
    ["\u001b]0;a title\u0007text", "text"],
    ["\u001b]8;;https://example.com\u001b\\link\u001b]8;;\u001b\\", "link"],
    ["\u001bPpicture\u001b\\text", "text"],
    ["\u001b]never ends", "never ends"],
    ["\u001b[", ""],
    ["\u001b", ""],
    ["10 %\r20 %", "10 %␍20 %"],
    ["\u0000\u0008\u007f\u0085", "␀␈"],
    ["right\u202eto left\u200b", "right<U+202E>to left<U+200B>"],
    ["<b>bold</b> שלום 🙂", "<b>bold</b> שלום 🙂"],
  ])("%j", (text, plain) => {
    expect(plainText(text)).toBe(plain);
  });

  test("also a megabyte of it, in a moment", () => {
    const began = performance.now();
    expect(plainText("\u001b[1mx".repeat(200_000))).toBe("x".repeat(200_000));
    expect(plainText("\u001b]".repeat(50_000))).toBe("");
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});

describe("a log grows", () => {
  const empty: JobLog = { parts: [], lines: 0, whole: false, problem: null };
  const lines = (from: number, count: number): LogLine[] =>
    Array.from({ length: count }, (_, at) => ({
      index: from + at,
      at: 0,
      source: "agent",
      step: null,
      text: `${from + at}`,
    }));

  test("in parts, of which only the last one becomes another", () => {
    const first = withLines(empty, lines(0, PART_LINES + 5));
    const second = withLines(first, lines(PART_LINES + 5, 2 * PART_LINES));
    expect(first.parts.map(({ length }) => length)).toEqual([PART_LINES, 5]);
    expect(second.parts.map(({ length }) => length)).toEqual([PART_LINES, PART_LINES, PART_LINES, 5]);
    expect(second.parts[0]).toBe(first.parts[0]);
    expect(second.lines).toBe(3 * PART_LINES + 5);
    expect(second.parts.flat().map(({ index }) => index)).toEqual(
      lines(0, 3 * PART_LINES + 5).map(({ index }) => index),
    );
  });
});

describe("what is said of a job", () => {
  test("where it stands and where it leads", () => {
    expect(standing(job())).toBe("running · fetch 12 %");
    expect(standing(job({ step: null }))).toBe("running · starting 12 %");
    expect(standing(job({ status: "failed" }))).toBe("failed");
    expect(wayOf(job())).toBe("1.0.0 → 1.1.0");
    expect(wayOf(job({ from: null }))).toBe("1.1.0");
    expect(wayOf(job({ release: null }))).toBe("from 1.0.0");
    expect(wayOf(job({ release: null, from: null }))).toBe("");
  });

  test("why it cannot be cancelled", () => {
    expect(whyNoCancel(job())).toBeNull();
    expect(whyNoCancel(job({ status: "succeeded" }))).toBe("It has succeeded already");
    expect(whyNoCancel(job({ step: "restart" }))).toMatch(/in flight/);
    expect(whyNoCancel(job({ kind: "diagnose", step: "complete" }))).toBeNull();
  });

  test("why it cannot be begun anew", () => {
    const failed = job({ status: "failed" });
    expect(whyNoRetry(failed, node({}))).toBeNull();
    expect(whyNoRetry(job(), node({}))).toBe("It is still at work");
    expect(whyNoRetry(job({ status: "succeeded" }), node({}))).toBe("It has succeeded");
    expect(whyNoRetry(failed, undefined)).toBe("Its node has been removed");
    expect(whyNoRetry(failed, node({ presence: "offline" }))).toMatch(/offline/);
    expect(whyNoRetry(failed, node({ jobId: "j-000000000002" }))).toMatch(/Another job/);
    expect(whyNoRetry(failed, node({ membership: "revoked" }))).toMatch(/not approved/);
  });

  test("what the address says wrongly is as if it were not said", () => {
    const query = (text: string): string => jobsQuery(new URLSearchParams(text));
    expect(query("status=failed&kind=update&node=n-000000000001")).toBe(
      "status=failed&kind=update&node=n-000000000001",
    );
    expect(query("status=odd&kind=&node=../x&rollout=r-1&other=2")).toBe("");
  });
});
