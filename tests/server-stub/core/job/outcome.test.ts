/** What a lease that came back without an answer means for its job: it waits for its turn again, five times at most. */
import { describe, expect, test } from "vitest";
import { DENIALS } from "../../../../protocol/lease.ts";
import type { JobRecord } from "../../../../server-stub/core/job/job.ts";
import { afterProof, MAX_RETURNS } from "../../../../server-stub/core/job/outcome.ts";
import { JOB } from "../../store/records.ts";

const RUNS = { version: "1.0.0", buildHash: "0".repeat(64) };
const UNDER_WAY: JobRecord = { ...JOB, status: "running", returns: 0 };

/** The lease comes back that often, each time for the same reason. */
const returned = (times: number, code: string | null, proof: "not-acted" | "inconclusive" = "not-acted") => {
  const verdict = code === null ? null : { code, message: "It was refused." };
  return Array.from({ length: times }).reduce<JobRecord>(
    (job) => afterProof({ ...job, status: "running" }, proof, verdict, RUNS, 1),
    UNDER_WAY,
  );
};

const WAITS = ["outside-window", "paused", "leader-last", "leader-unknown"] as const;

describe("refused at commit, which is no fault of the node or the build", () => {
  test.each(WAITS)("%s is waited for as often as it takes", (code) => {
    const job = returned(10 * MAX_RETURNS, code);
    expect(job).toMatchObject({ status: "queued", returns: 0, reason: { code: "not-acted" } });
    expect(job.reason?.message).toContain("It was refused.");
  });
});

test.each([
  ...DENIALS.filter((code) => !WAITS.some((wait) => wait === code)),
  "leader-here",
  "hook-failed",
  null,
])("whatever else it is, such as %s, fails the job the fifth time", (code) => {
  expect(returned(MAX_RETURNS - 1, code)).toMatchObject({ status: "queued", returns: MAX_RETURNS - 1 });
  const failed = returned(MAX_RETURNS, code);
  expect(failed).toMatchObject({ status: "failed", reason: { code: "not-acted" }, endedAt: 1 });
  expect(failed.reason?.message).toContain(`${MAX_RETURNS} times`);
});

test("a build that could not be judged is tried five times too", () => {
  expect(returned(MAX_RETURNS - 1, null, "inconclusive").status).toBe("queued");
  expect(returned(MAX_RETURNS, null, "inconclusive").status).toBe("failed");
});
