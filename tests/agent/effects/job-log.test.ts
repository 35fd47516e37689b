import { appendFile, mkdtemp, readdir, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Disk, realDisk } from "../../../agent/effects/disk.ts";
import { agentLine, type JobLogLimits, openJobLogs } from "../../../agent/effects/job-log.ts";
import { layoutOf } from "../../../agent/effects/layout.ts";
import { silentLog } from "../../../agent/effects/log.ts";
import { makeLayout } from "../../../agent/effects/recover.ts";
import { fullDisk } from "./full-disk.ts";

const JOB = "j-000000000001";
let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "baton-job-log-"));
  await makeLayout(realDisk, layoutOf(dir));
});
afterEach(() => rm(dir, { recursive: true }));

const open = (limits?: JobLogLimits) => openJobLogs(realDisk, layoutOf(dir), silentLog, limits);
const file = (jobId: string) => join(dir, "state/jobs", `${jobId}.jsonl`);

describe("the log of a job", () => {
  it("is numbered from nought, and goes on after a restart", async () => {
    const before = await open();
    before.append(JOB, agentLine(1, "fetch", "one"));
    before.append(JOB, agentLine(2, "swap", "two"));
    await before.flush();
    const after = await open();
    after.append(JOB, { at: 3, source: "hook", step: null, text: "three" });
    expect(await after.linesFrom(JOB, 0, 10)).toEqual([
      { index: 0, at: 1, source: "agent", step: "fetch", text: "one" },
      { index: 1, at: 2, source: "agent", step: "swap", text: "two" },
      { index: 2, at: 3, source: "hook", step: null, text: "three" },
    ]);
    expect((await after.linesFrom(JOB, 1, 1)).map(({ text }) => text)).toEqual(["two"]);
    expect(await after.linesFrom(JOB, 3, 10)).toEqual([]);
    expect(await after.linesFrom("j-000000000009", 0, 10)).toEqual([]);
  });

  it("drops what a crash has torn, and numbers on without a gap", async () => {
    const before = await open();
    before.append(JOB, agentLine(1, null, "whole"));
    await before.flush();
    await appendFile(file(JOB), '{"index":1,"at":2,"sou');
    const after = await open();
    after.append(JOB, agentLine(3, null, "next"));
    expect((await after.linesFrom(JOB, 0, 10)).map(({ index, text }) => [index, text])).toEqual([
      [0, "whole"],
      [1, "next"],
    ]);
  });

  it("has one line for each, without control characters and of bounded length", async () => {
    const logs = await open();
    logs.append(JOB, agentLine(1, null, `a\u001b[31mb\r\nsecond\n\n${"x".repeat(9_000)}`));
    const lines = (await logs.linesFrom(JOB, 0, 10)).map(({ text }) => text);
    expect(lines.slice(0, 2)).toEqual(["a\ufffd[31mb", "second"]);
    expect(lines[2]).toHaveLength(4_096);
    expect(lines).toHaveLength(3);
  });

  it("ends with a line that says so when it is full", async () => {
    const logs = await open({ maxLines: 3, maxFiles: 5 });
    for (let number = 0; number < 6; number++) logs.append(JOB, agentLine(number, null, `line ${number}`));
    const lines = await logs.linesFrom(JOB, 0, 10);
    expect(lines.map(({ text }) => text)).toEqual([
      "line 0",
      "line 1",
      "This log is full; what follows is not kept.",
    ]);
  });

  it("keeps the newest jobs, and lists them newest first", async () => {
    const logs = await open();
    for (const number of [1, 2, 3]) logs.append(`j-00000000000${number}`, agentLine(number, null, "line"));
    await logs.flush();
    for (const number of [1, 2, 3]) await utimes(file(`j-00000000000${number}`), number, number);
    const again = await open({ maxLines: 10, maxFiles: 2 });
    expect(await readdir(join(dir, "state/jobs"))).toEqual(["j-000000000002.jsonl", "j-000000000003.jsonl"]);
    expect(await again.jobs()).toEqual([
      { jobId: "j-000000000003", at: 3, lines: 1 },
      { jobId: "j-000000000002", at: 2, lines: 1 },
    ]);
  });

  it("tells who follows it, and does not mind a full disk", async () => {
    const logs = await open();
    const heard: string[] = [];
    const end = logs.subscribe((jobId) => heard.push(jobId));
    logs.append(JOB, agentLine(1, null, "one"));
    await logs.flush();
    end();
    logs.append(JOB, agentLine(2, null, "two"));
    await logs.flush();
    expect(heard).toEqual([JOB]);
    const full = await openJobLogs(fullDisk, layoutOf(dir), silentLog);
    full.append(JOB, agentLine(3, null, "three"));
    await full.flush();
    expect(await full.linesFrom(JOB, 0, 10)).toHaveLength(2);
  });

  it("that is torn while the disk is full keeps no agent from starting", async () => {
    const before = await open();
    before.append(JOB, agentLine(1, null, "whole"));
    await before.flush();
    await appendFile(file(JOB), '{"index":1,"at":2,"sou');
    const full = await openJobLogs(fullDisk, layoutOf(dir), silentLog);
    full.append(JOB, agentLine(3, null, "lost"));
    expect((await full.linesFrom(JOB, 0, 10)).map(({ text }) => text)).toEqual(["whole"]);
  });

  it("leaves no gap where a line could not be written", async () => {
    let isFull = false;
    const disk: Disk = { ...realDisk, open: (...args) => (isFull ? fullDisk : realDisk).open(...args) };
    const logs = await openJobLogs(disk, layoutOf(dir), silentLog);
    for (const text of ["one", "lost", "two"]) {
      isFull = text === "lost";
      logs.append(JOB, agentLine(1, null, text));
      await logs.flush();
    }
    expect((await logs.linesFrom(JOB, 0, 10)).map(({ index, text }) => [index, text])).toEqual([
      [0, "one"],
      [1, "two"],
    ]);
  });
});
