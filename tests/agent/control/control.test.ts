import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createControlClient } from "../../../agent/control/client.ts";
import {
  AgentStatus,
  InstallReply,
  JobSummaries,
  Started,
  WatchEvent,
} from "../../../agent/control/messages.ts";
import { type ControlServer, startControlServer } from "../../../agent/control/server.ts";
import { silentLog } from "../../../agent/effects/log.ts";
import { LogLine } from "../../../protocol/job.ts";
import { err, ok } from "../../../protocol/result.ts";
import { JOB, pretendedAgent } from "./pretended-agent.ts";

let dir = "";
let path = "";
let node: ReturnType<typeof pretendedAgent>;
let server: ControlServer | null = null;

async function start() {
  const started = await startControlServer(path, node.port, silentLog);
  if (!started.ok) throw new Error(started.error.message);
  server = started.value;
}
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "baton-control-"));
  path = join(dir, "control.sock");
  node = pretendedAgent();
  await start();
});
afterEach(async () => {
  await server?.close();
  server = null;
  await rm(dir, { recursive: true });
});

const client = () => createControlClient(path);
const line = (index: number): LogLine => ({
  index,
  at: 1,
  source: "agent",
  step: "fetch",
  text: `line ${index}`,
});
const end = { result: "succeeded", reason: null } as const;

/** A request as it stands, for what the client would never send. */
function raw(method: string, url: string, body?: string): Promise<{ status: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: path, method, path: url, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

describe("the control socket", () => {
  it("is for the agent's user and group only", async () => {
    expect((await stat(path)).mode & 0o777).toBe(0o660);
  });

  it("tells the status", async () => {
    const status = await client().call({ method: "GET", path: "/v1/status" }, AgentStatus);
    expect(status).toEqual({ ok: true, value: node.state.status });
  });

  it("starts an update, with and without a body", async () => {
    const update = { method: "POST", path: "/v1/update" } as const;
    expect(await client().call({ ...update, body: { retry: true } }, Started)).toEqual(ok({ jobId: JOB }));
    expect(await client().call(update, Started)).toEqual(ok({ jobId: JOB }));
    expect(node.state.asked).toEqual([{ retry: true }, { retry: false }]);
  });

  it("gives the agent's refusal with its code, sentence and hint", async () => {
    const refused = await client().call({ method: "POST", path: "/v1/rollback", body: {} }, Started);
    expect(refused).toEqual(
      err({ code: "no-backup", message: "There is no dist.bak.", hint: "Nothing to do." }),
    );
  });

  it("takes a bundle in as a stream", async () => {
    const body = Readable.from([Buffer.alloc(100_000), Buffer.alloc(100_000)]);
    const reply = await client().call({ method: "POST", path: "/v1/install", body }, InstallReply);
    expect(reply).toMatchObject({ ok: true, value: { message: "200000 bytes" } });
  });

  it("lists the jobs whose logs are kept", async () => {
    const jobs = await client().call({ method: "GET", path: "/v1/jobs" }, JobSummaries);
    expect(jobs).toEqual(ok({ jobs: [{ jobId: JOB, at: 7, lines: 0 }] }));
  });

  it.each([
    ["GET", "/v1/nothing", undefined, 404, "not-found"],
    ["DELETE", "/v1/status", undefined, 405, "method-not-allowed"],
    ["POST", "/v1/update", '{"force":true}', 400, "malformed"],
    ["POST", "/v1/update", "{", 400, "malformed"],
    ["POST", "/v1/update", `"${"x".repeat(70_000)}"`, 413, "too-large"],
    ["GET", "/v1/jobs/job-1/log", undefined, 400, "malformed"],
    ["GET", `/v1/jobs/${JOB}/log?from=-1`, undefined, 400, "malformed"],
  ])("answers what it does not understand with a problem (%#)", async (method, url, body, status, code) => {
    const answer = await raw(method, url, body);
    expect(answer).toMatchObject({ status, body: { code, status, type: `urn:baton:problem:${code}` } });
    expect(node.state.asked).toEqual([]);
  });

  it("answers a bug with a problem and goes on", async () => {
    node.port.jobs = () => Promise.reject(new Error("torn"));
    expect(await raw("GET", "/v1/jobs")).toMatchObject({ status: 500, body: { code: "internal" } });
    expect(await raw("GET", "/v1/status")).toMatchObject({ status: 200 });
  });

  it("is taken over from a dead agent, and not from a living one", async () => {
    const second = await startControlServer(path, node.port, silentLog);
    expect(second).toMatchObject({ ok: false, error: { code: "already-running" } });
    expect(await raw("GET", "/v1/status")).toMatchObject({ status: 200 });
    await server?.close();
    await writeFile(path, "");
    await start();
    expect(await raw("GET", "/v1/status")).toMatchObject({ status: 200 });
  });

  it("that nobody listens on is said to be so", async () => {
    await server?.close();
    const status = await client().call({ method: "GET", path: "/v1/status" }, AgentStatus);
    expect(status).toMatchObject({ ok: false, error: { code: "agent-not-running" } });
  });
});

describe("watching a job", () => {
  const watch = (events: WatchEvent[], signal = new AbortController().signal) =>
    client().stream(`/v1/jobs/${JOB}/watch?from=0`, WatchEvent, signal, (event) => events.push(event));

  it("streams lines, progress and the end, in this order", async () => {
    const events: WatchEvent[] = [];
    node.state.lines.push(line(0));
    const watching = watch(events);
    await expect.poll(() => events.length).toBe(1);
    const update = { ...node.state.status.update, state: "preparing", jobId: JOB, percent: 30 } as const;
    node.state.status = { ...node.state.status, update };
    node.state.changed();
    await expect.poll(() => events.length).toBe(2);
    node.state.lines.push(line(1));
    node.state.status = { ...node.state.status, job: { jobId: JOB, end } };
    node.state.changed();
    expect(await watching).toEqual(ok("ended"));
    expect(events).toEqual([
      { type: "log", line: line(0) },
      { type: "progress", update },
      { type: "log", line: line(1) },
      { type: "end", jobId: JOB, end },
    ]);
    await expect.poll(() => node.listeners.size).toBe(0);
  });

  it("says that the agent is gone when it ends in the middle, and goes on with the next one", async () => {
    const events: WatchEvent[] = [];
    node.state.lines.push(line(0));
    const watching = watch(events);
    await expect.poll(() => events.length).toBe(1);
    await server?.close();
    expect(await watching).toEqual(ok("gone"));
    node.state.status = { ...node.state.status, job: { jobId: JOB, end } };
    await start();
    expect(await watch(events)).toEqual(ok("ended"));
    expect(events.at(-1)).toMatchObject({ type: "end" });
  });

  it("asks the coordinator how a job ended that this process knows nothing of", async () => {
    const events: WatchEvent[] = [];
    node.state.ended = { result: "failed", reason: { code: "cancelled", message: "by an operator" } };
    expect(await watch(events)).toEqual(ok("ended"));
    expect(events).toEqual([{ type: "end", jobId: JOB, end: node.state.ended }]);
  });

  it("follows a log, or gives what is there", async () => {
    node.state.lines.push(line(0), line(1));
    const seen: number[] = [];
    const gone = new AbortController();
    const read = (more: string) =>
      client().stream(`/v1/jobs/${JOB}/log?from=1${more}`, LogLine, gone.signal, ({ index }) =>
        seen.push(index),
      );
    expect(await read("")).toEqual(ok("ended"));
    expect(seen).toEqual([1]);
    const following = read("&follow=1");
    await expect.poll(() => seen.length).toBe(2);
    node.state.lines.push(line(2));
    node.state.changed();
    await expect.poll(() => seen).toEqual([1, 1, 2]);
    gone.abort();
    expect(await following).toEqual(ok("gone"));
    await expect.poll(() => node.listeners.size).toBe(0);
  });
});
