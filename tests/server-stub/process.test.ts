import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import WebSocket from "ws";
import { SUBPROTOCOL } from "../../protocol/frames.ts";
import { run as runCommand } from "../../server-stub/cli.ts";
import { startCoordinator } from "./harness/coordinator.ts";
import { helloOf } from "./harness/node.ts";

const MAIN = join(import.meta.dirname, "../../server-stub/main.ts");

/** `coordinator` with its commands, in this process: what it prints, and the status that it would exit with. */
async function command(...argv: readonly string[]): Promise<{ status: number; out: string; err: string }> {
  const texts = { out: "", err: "" };
  const status = await runCommand(
    {
      print: (text) => {
        texts.out += `${text}\n`;
      },
      say: (text) => {
        texts.err += `${text}\n`;
      },
      becomeOwnerOf: async () => undefined,
    },
    argv,
  );
  return { status, ...texts };
}

describe("the coordinator's commands", () => {
  let dir: string;
  let state: readonly [string, string];
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "baton-command-"));
    state = ["--state-dir", join(dir, "state")];
  });
  afterEach(() => rm(dir, { recursive: true }));

  test("init makes everything once, and what it makes is its owner's alone", async () => {
    const first = await command(...state, "init");
    expect(first.status).toBe(0);
    const at = (name: string) => join(dir, "state", name);
    const token = await readFile(at("admin.token"), "utf8");
    const request = JSON.parse(await readFile(at("key-request.json"), "utf8")) as {
      keys: { snapshot: { key: object } };
    };
    expect(first.out).not.toContain(token.trim());
    for (const [name, mode] of [
      ["", 0o700],
      ["admin.token", 0o600],
      ["keys", 0o700],
    ] as const) {
      expect([name, (await stat(at(name))).mode & 0o777]).toEqual([name, mode]);
    }
    const again = await command(...state, "init");
    expect(again).toMatchObject({ status: 0, out: expect.stringContaining("there is one already") });
    expect(await readFile(at("admin.token"), "utf8")).toBe(token);
    const { key } = request.keys.snapshot;
    expect(JSON.parse(await readFile(at("key-request.json"), "utf8"))).toMatchObject({
      keys: { snapshot: { key } },
    });
  });

  test("new online keys are asked for by their role", async () => {
    await command(...state, "init");
    const made = await command(...state, "key-request", "timestamp", "--json");
    const { keyRequestFile } = JSON.parse(made.out) as { keyRequestFile: string };
    const { keys } = JSON.parse(await readFile(keyRequestFile, "utf8")) as { keys: object };
    expect(Object.keys(keys)).toEqual(["timestamp"]);
  });

  test("wrong configuration ends with status 2, and says where", async () => {
    const file = join(dir, "c.toml");
    await writeFile(file, '[listen]\naddress = "0.0.0.0"\nprot = 1\n');
    const wrong = await command("--config", file, "serve");
    expect(wrong.status).toBe(2);
    expect(wrong.err).toContain(
      `${file}:3: listen.prot: there is no such setting. Did you mean listen.port?`,
    );
    expect(await command("--config", join(dir, "none.toml"), "serve")).toMatchObject({ status: 2 });
    expect(await command(...state, "serve", "--address", "0.0.0.0")).toMatchObject({
      status: 2,
      err: expect.stringContaining("--insecure-http"),
    });
  });

  test.each([
    [["serve", "--colour"], 2],
    [["serve", "--port", "99999"], 2],
    [["token", "create", "x"], 2],
    [["token", "join-token"], 2],
    [["trust"], 2],
    [["trust", "/nonexistent/root.json"], 1],
    [["key-request", "root"], 2],
    [["nonsense"], 2],
    [["--help"], 0],
    [["--version"], 0],
    [["config"], 0],
  ])("coordinator %j exits with %d", async (argv, status) => {
    expect((await command(...state, ...argv)).status).toBe(status);
  });

  test("an address that is taken is told", async () => {
    const coordinator = await startCoordinator();
    try {
      await command(...state, "init");
      const { port } = new URL(coordinator.url);
      expect(await command(...state, "serve", "--port", port)).toMatchObject({
        status: 1,
        err: expect.stringContaining(`cannot listen on 127.0.0.1, port ${port}`),
      });
      // The database was let go of again.
      expect(await command(...state, "token", "list")).toMatchObject({ status: 0 });
    } finally {
      await coordinator.stop();
    }
  });
});

describe("the coordinator's process", () => {
  let state: string;
  let dir: string;
  const children: ChildProcess[] = [];
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "baton-process-"));
    state = join(dir, "state");
    await command("--state-dir", state, "init");
  });
  afterAll(async () => {
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    await rm(dir, { recursive: true });
  });

  const start = (): ChildProcess => {
    const argv = [MAIN, "--state-dir", state, "serve", "--port", "0"];
    const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "pipe"] });
    children.push(child);
    return child;
  };
  /** A coordinator that listens, and where. */
  const serve = async (): Promise<{ child: ChildProcess; url: string }> => {
    const child = start();
    for await (const line of createInterface({ input: child.stdout ?? process.stdin })) {
      const { msg, url } = JSON.parse(line) as { msg: string; url?: string };
      if (msg === "listening" && url !== undefined) return { child, url };
    }
    throw new Error("it ended before it listened");
  };
  const ended = async (child: ChildProcess) => {
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    return child.exitCode;
  };

  test("is the only one on its state; killed, it leaves nothing in the way; told to stop, it ends in order", async () => {
    const first = await serve();
    expect((await stat(join(state, "control.sock"))).mode & 0o777).toBe(0o600);
    const second = start();
    let said = "";
    second.stderr?.on("data", (part: Buffer) => {
      said += part.toString();
    });
    expect(await ended(second)).toBe(1);
    expect(said).toContain("Another coordinator has");
    expect((await fetch(`${first.url}/healthz`)).status).toBe(200);
    const made = await command("--state-dir", state, "token", "create", "ann", "--role", "admin");
    expect(made.status).toBe(0);
    first.child.kill("SIGKILL");
    await ended(first.child);
    expect(await command("--state-dir", state, "token", "list")).toMatchObject({
      status: 0,
      out: expect.stringMatching(/ann\s+admin\s+valid/),
    });

    const next = await serve();
    const socket = await openSession(next.url, made.out.trim());
    next.child.kill("SIGTERM");
    const [code] = (await once(socket, "close")) as [number];
    expect(code).toBe(1001);
    expect(await ended(next.child)).toBe(0);
  });
});

/** A node joins and says hello. */
async function openSession(url: string, admin: string): Promise<WebSocket> {
  const post = async (path: string, body: object, token: string | null) => {
    const headers = {
      "content-type": "application/json",
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    };
    const response = await fetch(`${url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    return (await response.json()) as Record<string, string>;
  };
  await post("/v1/groups", { name: "web" }, admin);
  const { secret } = await post("/v1/join-tokens", { group: "web", autoApprove: true }, admin);
  const { credential } = await post("/v1/join", { token: secret, name: "ann" }, null);
  const socket = new WebSocket(`${url.replace("http", "ws")}/v1/session`, SUBPROTOCOL, {
    headers: { authorization: `Bearer ${credential}` },
  });
  await once(socket, "open");
  socket.send(JSON.stringify(helloOf(randomUUID())));
  await once(socket, "message");
  return socket;
}
