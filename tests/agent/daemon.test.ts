/** The agent as a process: from the sources, against a small real coordinator, with a stand-in for systemd-notify. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createControlClient } from "../../agent/control/client.ts";
import { AgentStatus } from "../../agent/control/messages.ts";
import { realDisk } from "../../agent/effects/disk.ts";
import { writeJoined } from "../../agent/effects/identity.ts";
import { PLATFORM } from "./built-release.ts";
import { CREDENTIAL, NODE_ID, startCoordinator, type TestCoordinator } from "./session/coordinator.ts";

const MAIN = join(import.meta.dirname, "../../agent/main.ts");
const INDEX = join(import.meta.dirname, "../../agent/index.ts");

let dir = "";
let home = "";
let server: TestCoordinator;
const children: ChildProcess[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "baton-daemon-"));
  home = join(dir, "home");
  await mkdir(home);
  await writeFile(join(dir, "systemd-notify"), `#!/bin/sh\necho "$1" >> ${dir}/notified\n`, { mode: 0o755 });
  await configure("");
  server = await startCoordinator({ heartbeatMs: 50 });
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  await server.stop();
  await rm(dir, { recursive: true });
});

const configure = (more: string) =>
  writeFile(
    join(dir, "agent.toml"),
    `state_dir = "${home}"\ncontrol_socket = "${dir}/control.sock"\n${more}\n[session]\nreconnect_min_ms = 20\n`,
  );

const joinIt = () =>
  writeJoined(realDisk, join(home, "state"), {
    identity: {
      format: 1,
      servers: [server.url],
      nodeId: NODE_ID,
      name: "one",
      group: "etcd",
      credential: CREDENTIAL,
    },
    pinnedRoot: Buffer.from("{}"),
  });

/** Starts a program; `ended` is its exit status and what it said on standard error. */
function start(args: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: `${dir}:${process.env.PATH}`,
      BATON_CONFIG: join(dir, "agent.toml"),
      NOTIFY_SOCKET: "/run/nobody",
      ...more,
    },
  });
  children.push(child);
  const said = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said.err += text;
  });
  const ended = once(child, "close").then(([code]) => code as number | null);
  return { child, said, ended };
}

const status = () =>
  createControlClient(join(dir, "control.sock")).call({ method: "GET", path: "/v1/status" }, AgentStatus);
const notified = () => readFile(join(dir, "notified"), "utf8").catch(() => "");
const ready = () => expect.poll(notified, { interval: 10, timeout: 30_000 }).toContain("READY=1");

describe("agent run", () => {
  it("is ready without a coordinator, finds it once it has joined, and ends in order", async () => {
    const agent = start([MAIN, "run"]);
    await ready();
    expect(await status()).toMatchObject({ ok: true, value: { node: null, session: { connected: false } } });
    await joinIt();
    const { frame } = await server.frame(({ frame }) => frame.type === "hello");
    expect(frame).toMatchObject({
      build: { version: "0.0.0-dev" },
      platform: PLATFORM,
      journal: { kind: "idle" },
    });
    await server.frame(({ frame }) => frame.type === "heartbeat" && frame.health.healthy);
    expect(await status()).toMatchObject({
      ok: true,
      value: { node: { name: "one", group: "etcd" }, session: { connected: true, transport: "websocket" } },
    });
    agent.child.kill("SIGTERM");
    expect(await agent.ended).toBe(0);
    expect(await notified()).toBe("READY=1\nSTOPPING=1\n");
    expect(agent.said.err).not.toContain(CREDENTIAL);
    await expect(stat(join(dir, "control.sock"))).rejects.toThrow("ENOENT");
  });

  it("tells how often it crashed, looks at itself when it is asked, and is not ended by SIGHUP", async () => {
    await joinIt();
    const JOB = "j-0123456789ab";
    server.wants.diagnose = { jobId: JOB };
    server.wants.logNext = [{ jobId: JOB, index: 0 }];
    const agent = start([MAIN, "run"], { BATON_CRASHES: "4" });
    await server.frame(({ frame }) => frame.type === "heartbeat" && frame.crashes === 4);
    agent.child.kill("SIGHUP");
    const { frame } = await server.frame(({ frame }) => frame.type === "diagnosis");
    if (frame.type !== "diagnosis") throw new Error("no diagnosis");
    const codes = frame.findings.map(({ code }) => code);
    expect(codes).toEqual(
      expect.arrayContaining(["settings-ok", "session-open", "crashing", "dist-missing"]),
    );
    expect(frame).toMatchObject({ jobId: JOB, ok: false });
    const lines = server.received.flatMap(({ frame }) => (frame.type === "log" ? frame.lines : []));
    const said = lines.map(({ text }) => text);
    expect(said[0]).toMatch(/^agent doctor: \d problems/);
    expect(said.some((text) => text.includes("info session open"))).toBe(true);
    expect(said.at(-1)).toBe("That was all.");
    expect(JSON.stringify([said, frame])).not.toContain(CREDENTIAL);
    await expect.poll(() => agent.said.err, { timeout: 30_000 }).toContain("SIGHUP");
    expect(await status()).toMatchObject({ ok: true });
  });

  it("keeps what signals say until it has started, and obeys then", async () => {
    await joinIt();
    await writeFile(join(dir, "systemd-notify"), "#!/bin/sh\nsleep 1\n");
    const agent = start([MAIN, "run"]);
    await server.frame(({ frame }) => frame.type === "hello");
    agent.child.kill("SIGHUP");
    agent.child.kill("SIGTERM");
    expect(await agent.ended).toBe(0);
    expect(agent.said.err).toContain("SIGHUP");
    expect(agent.said.err).toContain("told to stop");
  });

  it("goes on looking for its identity when it could not be read", async () => {
    const inTheWay = join(home, "state/node.json");
    await mkdir(inTheWay, { recursive: true });
    const agent = start([MAIN, "run"]);
    await ready();
    await expect.poll(() => agent.said.err, { timeout: 30_000 }).toContain("node-json-unreadable");
    await rm(inTheWay, { recursive: true });
    await joinIt();
    await server.frame(({ frame }) => frame.type === "hello");
  });

  it.each([
    ["is missing", null],
    ["holds no certificate", "nothing"],
  ])("runs all the same when its ca_file %s, and connects once that is mended", async (_name, text) => {
    const authorities = join(dir, "ca.pem");
    if (text !== null) await writeFile(authorities, text);
    await configure(`ca_file = "${authorities}"`);
    await joinIt();
    const agent = start([MAIN, "run"]);
    await ready();
    await expect.poll(() => agent.said.err, { timeout: 30_000 }).toContain("ca-file-unreadable");
    expect(await status()).toMatchObject({
      ok: true,
      value: { session: { fault: { code: "ca-file-unreadable" } } },
    });
    await copyFile(join(import.meta.dirname, "../testdata/tls/first.crt"), authorities);
    await server.frame(({ frame }) => frame.type === "hello");
  });

  it("is refused a second time on one state directory, and leaves the first alone", async () => {
    start([MAIN, "run"]);
    await ready();
    const second = start([MAIN, "run"]);
    expect(await second.ended).toBe(5);
    expect(second.said.err).toContain("already-running");
    expect(await status()).toMatchObject({ ok: true });
  });

  it("does not start with wrong settings: exit 2, with file, line and key", async () => {
    await configure("log_level = 3");
    const agent = start([MAIN, "run"]);
    expect(await agent.ended).toBe(2);
    expect(agent.said.err).toContain(`${dir}/agent.toml:3: log_level: is 3`);
    const misused = start([MAIN, "run", "--loud"]);
    expect(await misused.ended).toBe(2);
  });
});

describe("runAgent", () => {
  const service = (body: string) =>
    writeFile(join(dir, "service.mjs"), `import { runAgent } from ${JSON.stringify(INDEX)};\n${body}\n`);

  it("serves in the same process, reports its health, and stops it in the end", async () => {
    await joinIt();
    await service(`await runAgent({ workload: {
      start: () => console.log("serving"),
      health: () => ({ healthy: true, role: "leader" }),
      handover: () => {},
      stop: () => console.log("stopped"),
    } });
    console.log("ready");`);
    const agent = start([join(dir, "service.mjs")]);
    await server.frame(({ frame }) => frame.type === "hello" && frame.canHandOver);
    await server.frame(({ frame }) => frame.type === "heartbeat" && frame.health.role === "leader");
    await expect.poll(() => agent.said.out).toBe("serving\nready\n");
    agent.child.kill("SIGTERM");
    expect(await agent.ended).toBe(0);
    expect(agent.said.out).toBe("serving\nready\nstopped\n");
  });

  it("answers --self-test without starting anything", async () => {
    await service(
      `await runAgent({ workload: { start: () => console.log("serving"), health: () => ({ healthy: true }) } });`,
    );
    const agent = start([join(dir, "service.mjs"), "--self-test"]);
    expect(await agent.ended).toBe(0);
    expect(JSON.parse(agent.said.out)).toMatchObject({ ok: true });
  });
});
