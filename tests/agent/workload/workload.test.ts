import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Log, silentLog } from "../../../agent/effects/log.ts";
import { createBundledWorkload } from "../../../agent/workload/bundled.ts";
import { workloadEnvironment } from "../../../agent/workload/environment.ts";
import { judgeHealth } from "../../../agent/workload/health.ts";
import { createInProcessWorkload } from "../../../agent/workload/in-process.ts";
import type { Workload } from "../../../protocol/build.ts";

let dist = "";
const cleanUp: (() => unknown)[] = [];
beforeEach(async () => {
  dist = await mkdtemp(join(tmpdir(), "baton-workload-"));
  await mkdir(join(dist, "bin"));
});
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
  await rm(dist, { recursive: true });
});

/** A program in the bundle, in POSIX sh. */
async function program(name: string, text: string): Promise<[string]> {
  await writeFile(join(dist, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return [`./${name}`];
}

function control(workload: Workload, log: Log = silentLog, env: Record<string, string> = {}) {
  const created = createBundledWorkload({
    workload,
    dist,
    env: { PATH: process.env.PATH, ...env },
    runtime: process.execPath,
    log,
    times: {
      healthTimeoutMs: 2_000,
      hookTimeoutMs: 2_000,
      drainMs: 1_000,
      stopMs: 500,
      restartMinMs: 10,
      restartMaxMs: 40,
    },
  });
  cleanUp.push(() => created.stop());
  return created;
}

const text = (name: string) => readFile(join(dist, name), "utf8").catch(() => "");
const until = (fits: () => boolean | Promise<boolean>) => expect.poll(fits, { interval: 5 }).toBe(true);
/** Whether a process runs; one that nobody has reaped does not. */
const alive = async (pid: number) => {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return /\) [RSDTI] /.test(stat);
};

it("a program that the system refuses to start at all is an answer, and no exception", async () => {
  // Longer than what execve(2) takes: E2BIG is thrown by spawn, and not told by its `error`.
  const refused: [string, string] = ["true", "x".repeat(200_000)];
  const workload = control({ command: refused, health: refused, drain: refused });
  expect(await workload.start()).toMatchObject({ ok: false, error: { code: "workload-not-started" } });
  expect(await workload.drain(1_000, () => undefined)).toMatchObject({ error: { code: "hook-failed" } });
  const hooked = control({ health: refused });
  expect(await hooked.health()).toMatchObject({ healthy: false, detail: expect.stringContaining("E2BIG") });
});

describe("a supervised program", () => {
  it("runs in the release, without the agent's line to systemd, and its output is in the log", async () => {
    const lines: string[] = [];
    const log = { ...silentLog, info: (_: object, said: string) => void lines.push(said) };
    const command = await program("serve", 'echo "at $(pwd) [$NOTIFY_SOCKET$WATCHDOG_USEC]"; exec sleep 60');
    const workload = control({ command }, log, { NOTIFY_SOCKET: "/run/x", WATCHDOG_USEC: "1" });
    expect(await workload.start()).toEqual({ ok: true, value: undefined });
    await until(() => lines.includes(`at ${dist} []`));
    expect(await workload.health()).toEqual({ healthy: true });
  });

  it("is started again when it ends, and is unhealthy in between", async () => {
    const command = await program("serve", "echo run >> runs; exit 3");
    const workload = control({ command });
    await workload.start();
    await until(async () => (await text("runs")).split("\n").length > 3);
    let saw = await workload.health();
    await until(async () => {
      saw = await workload.health();
      return !saw.healthy;
    });
    expect(saw).toEqual({ healthy: false, detail: "The workload exited with status 3." });
    await workload.stop();
    const runs = await text("runs");
    await sleep(60);
    expect(await text("runs")).toBe(runs);
  });

  it("that ignores SIGTERM is killed with all that it started", async () => {
    const command = await program(
      "serve",
      "trap '' TERM; sleep 61 & echo $! > child; echo $$ > self; while :; do wait; done",
    );
    const workload = control({ command });
    await workload.start();
    await until(async () => /\d+\n/.test(await text("self")));
    await workload.stop();
    await until(async () => !(await alive(Number(await text("self")))));
    await until(async () => !(await alive(Number(await text("child")))));
    expect(await workload.health()).toMatchObject({ healthy: false });
  });

  it("that cannot be started is an error that names it, and is unhealthy", async () => {
    const workload = control({ command: ["./missing"] });
    const started = await workload.start();
    expect(started).toMatchObject({ ok: false, error: { code: "workload-not-started" } });
    expect(await workload.health()).toMatchObject({ healthy: false });
  });

  it("finds the bundle's own bin/ first, and node at the latest in the agent's runtime", () => {
    const env = workloadEnvironment({ PATH: "/usr/bin", HOME: "/h" }, "/d", "/usr/lib/baton/node");
    expect(env).toEqual({ PATH: "/d/bin:/usr/bin:/usr/lib/baton", HOME: "/h", BATON_DIST: "/d" });
  });
});

describe("hooks", () => {
  it("handover gets the peers, and the last lines go to the job's log", async () => {
    const handover = await program("handover", 'echo "$BATON_PEERS"; echo done >&2');
    const workload = control({ handover });
    const lines: string[] = [];
    const peers = [{ id: "n-0123456789ab", name: "two", build: null, updated: true, role: "follower" }];
    expect(workload.canHandOver).toBe(true);
    expect(await workload.handover(peers, (line) => lines.push(line))).toMatchObject({ ok: true });
    expect(lines.sort()).toEqual([JSON.stringify(peers), "done"].sort());
  });

  it("that are not there succeed at once", async () => {
    const workload = control({});
    expect(workload).toMatchObject({ canHandOver: false, drainMs: 0 });
    const ignore = () => undefined;
    for (const done of [workload.handover([], ignore), workload.drain(10, ignore), workload.resume(ignore)])
      expect(await done).toEqual({ ok: true, value: undefined });
  });

  it("that fail say how, with their last words", async () => {
    const drain = await program("drain", "echo 'two clients left' >&2; exit 4");
    const drained = await control({ drain }).drain(1_000, () => undefined);
    expect(drained).toMatchObject({ ok: false, error: { code: "hook-failed", context: { status: 4 } } });
    expect(drained).toMatchObject({ error: { message: expect.stringContaining("two clients left") } });
  });

  it("that take too long are ended with all that they started", async () => {
    const drain = await program("drain", "sleep 62 & echo $! > child; wait");
    const drained = await control({ drain }).drain(200, () => undefined);
    expect(drained).toMatchObject({ ok: false, error: { code: "hook-timeout" } });
    await until(async () => !(await alive(Number(await text("child")))));
  });

  it("give only the last fifty lines", async () => {
    const resume = await program("resume", "i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); done");
    const lines: string[] = [];
    await control({ resume }).resume((line) => lines.push(line));
    expect([lines.length, lines[0], lines.at(-1)]).toEqual([50, "line 150", "line 199"]);
  });
});

describe("what a health hook says", () => {
  it.each([
    ["nothing, and succeeds", true, "", { healthy: true }],
    ["nothing, and fails", false, "", { healthy: false, detail: "failed" }],
    ["a report", true, '{"healthy":true,"role":"leader"}', { healthy: true, role: "leader" }],
    ["a report after other lines", true, 'checking\n{"healthy":false}\n', { healthy: false }],
    [
      "a report over several lines",
      true,
      '{\n "healthy": true,\n "caughtUp": false }',
      { healthy: true, caughtUp: false },
    ],
    ["that all is well, and fails", false, '{"healthy":true}', { healthy: false, detail: "failed" }],
    ["another JSON, such as etcd's", true, '{"health":"true"}', { healthy: true }],
  ])("%s", (_what, succeeded, printed, report) => {
    expect(judgeHealth(succeeded, printed, "failed")).toEqual(report);
  });
  it("a report with a role that there is not", () => {
    expect(judgeHealth(true, '{"healthy":true,"role":"boss"}', "")).toMatchObject({ healthy: false });
  });
});

describe("asking for health", () => {
  it("runs a program in the release", async () => {
    await program("check", 'echo "{\\"healthy\\":true,\\"detail\\":\\"$(pwd)\\"}"');
    expect(await control({ health: ["./check"] }).health()).toEqual({ healthy: true, detail: dist });
  });
  it.each([
    ["that fails", "echo no quorum >&2; exit 1", "no quorum"],
    ["that hangs", "exec sleep 63", "took longer than"],
  ])("a program %s is unhealthy", async (_what, script, detail) => {
    const health = await program("check", script);
    expect(await control({ health }).health()).toMatchObject({
      healthy: false,
      detail: expect.stringContaining(detail),
    });
  });
  it("knows an address that is none", async () => {
    const workload = control({ health: { http: "http://127.0.0.1:99999/health" } });
    expect(await workload.health()).toMatchObject({ healthy: false, detail: expect.stringContaining("URL") });
  });

  it("asks an address", async () => {
    const answers = [
      [200, '{"healthy":true,"role":"follower"}'],
      [503, "warming up"],
      [204, ""],
    ] as const;
    let asked = 0;
    const server = createServer((_request, response) => {
      const [status, body] = answers[asked++] ?? [500, ""];
      response.writeHead(status).end(body === "" ? undefined : body);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const http = `http://127.0.0.1:${(server.address() as AddressInfo).port}/health`;
    const workload = control({ health: { http } });
    expect(await workload.health()).toEqual({ healthy: true, role: "follower" });
    expect(await workload.health()).toEqual({ healthy: false, detail: `${http} answered 503.` });
    expect(await workload.health()).toEqual({ healthy: true });
    server.close();
    await once(server, "close");
    expect(await workload.health()).toMatchObject({ healthy: false });
  });
});

describe("a workload in the agent's own process", () => {
  const times = { healthTimeoutMs: 20, hookTimeoutMs: 20, drainMs: 1_000 };
  it("is asked through its functions", async () => {
    const calls: string[] = [];
    const workload = createInProcessWorkload(
      {
        health: () => ({ healthy: true, role: "leader" }),
        handover: (peers) => void calls.push(`handover ${peers.length}`),
        drain: async (limitMs) => void calls.push(`drain ${limitMs}`),
      },
      times,
    );
    expect(workload).toMatchObject({ canHandOver: true, drainMs: 1_000 });
    expect(await workload.health()).toEqual({ healthy: true, role: "leader" });
    await workload.handover([], () => undefined);
    await workload.drain(500, () => undefined);
    expect(await workload.resume(() => undefined)).toMatchObject({ ok: true });
    expect(calls).toEqual(["handover 0", "drain 500"]);
  });
  it.each([
    ["throws", () => Promise.reject(new Error("lost its disk")), "lost its disk"],
    ["hangs", () => new Promise<never>(() => undefined), "longer than 20 ms"],
    ["says nonsense", () => ({ healthy: "yes" }) as unknown as { healthy: boolean }, "malformed"],
  ])("whose health %s is unhealthy", async (_what, health, detail) => {
    const report = await createInProcessWorkload({ health }, times).health();
    expect(report).toMatchObject({ healthy: false, detail: expect.stringContaining(detail) });
  });
});
