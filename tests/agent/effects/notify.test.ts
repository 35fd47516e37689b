import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { realDisk } from "../../../agent/effects/disk.ts";
import { silentLog } from "../../../agent/effects/log.ts";
import { createNotifier, watchdogMs } from "../../../agent/effects/notify.ts";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "baton-notify-"));
  await mkdir(join(dir, "trial"));
  const script = `#!/bin/sh\necho "$1 $(ls ${dir}/trial)" >> ${dir}/said\n`;
  await writeFile(join(dir, "systemd-notify"), script, { mode: 0o755 });
});
afterEach(() => rm(dir, { recursive: true }));

const said = () => readFile(join(dir, "said"), "utf8").catch(() => "");
const notifier = (env: NodeJS.ProcessEnv, trial = "trial", log = silentLog) =>
  createNotifier({
    disk: realDisk,
    env: { PATH: `${dir}:${process.env.PATH}`, ...env },
    pid: 42,
    trialDir: join(dir, trial),
    log,
  });

describe("what systemd is told", () => {
  it("is READY=1, then trial/ready is left, and STOPPING=1 in the end", async () => {
    const systemd = notifier({ NOTIFY_SOCKET: "/run/x" });
    await systemd.ready();
    expect(await said()).toBe("READY=1 \n");
    expect(await readdir(join(dir, "trial"))).toEqual(["ready"]);
    await systemd.stopping();
    expect(await said()).toBe("READY=1 \nSTOPPING=1 ready\n");
  });

  it("is a sign of life at half of the watchdog's time, until it stops", async () => {
    const systemd = notifier({ NOTIFY_SOCKET: "/run/x", WATCHDOG_USEC: "20000", WATCHDOG_PID: "42" });
    await systemd.ready();
    await expect.poll(said, { interval: 5 }).toMatch(/WATCHDOG=1 ready\nWATCHDOG=1/);
    await systemd.stopping();
    expect(await said()).toContain("STOPPING=1");
  });

  it("is nothing without a NOTIFY_SOCKET; trial/ready is left all the same", async () => {
    const systemd = notifier({ WATCHDOG_USEC: "20000" });
    await systemd.ready();
    await systemd.stopping();
    expect(await said()).toBe("");
    expect(await readdir(join(dir, "trial"))).toEqual(["ready"]);
  });

  it("leaves nothing where there is no trial, and does not mind being ready twice", async () => {
    const systemd = notifier({}, "none");
    await systemd.ready();
    await systemd.ready();
    expect(await readdir(dir)).not.toContain("none");
  });

  it("that it cannot be told is logged, and stops nothing", async () => {
    const errors: string[] = [];
    const log = { ...silentLog, error: (_: object, message: string) => void errors.push(message) };
    await notifier({ NOTIFY_SOCKET: "/run/x", PATH: "/nowhere" }, "trial", log).ready();
    expect(errors).toEqual([expect.stringContaining("systemd-notify cannot be run")]);
    expect(await readdir(join(dir, "trial"))).toEqual(["ready"]);
  });

  it("that trial/ready cannot be left is logged, and stops nothing", async () => {
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (_: object, message: string) => void warnings.push(message) };
    await writeFile(join(dir, "no-directory"), "");
    await notifier({}, "no-directory", log).ready();
    expect(warnings).toEqual([expect.stringContaining("trial/ready could not be left")]);
  });
});

describe("the watchdog's time", () => {
  const socket = { NOTIFY_SOCKET: "/run/x" };
  it.each([
    ["half of what systemd says", { ...socket, WATCHDOG_USEC: "30000000" }, 15_000],
    ["none without a socket", { WATCHDOG_USEC: "30000000" }, null],
    ["none without a limit", socket, null],
    [
      "none when it is for another process",
      { ...socket, WATCHDOG_USEC: "30000000", WATCHDOG_PID: "7" },
      null,
    ],
    ["none when it makes no sense", { ...socket, WATCHDOG_USEC: "soon" }, null],
  ])("is %s", (_what, env, expected) => {
    expect(watchdogMs(env, 42)).toBe(expected);
  });
});
