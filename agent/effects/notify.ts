/**
 * What the agent tells systemd: READY=1 once it runs *locally* (never only when the coordinator was reached, or an
 * outage of it would become a restart loop), WATCHDOG=1 at half of the time that systemd allows, STOPPING=1.
 *
 * Node has no unix datagram socket, so `systemd-notify` is run for each, and only where there is a NOTIFY_SOCKET.
 * It waits until systemd has taken the message, since one whose sender is gone is attributed to nobody; the unit
 * needs `NotifyAccess=all`. Source: sd_notify(3), systemd-notify(1), sd_watchdog_enabled(3).
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import type { DurationMs } from "../../protocol/time.ts";
import type { Disk } from "./disk.ts";
import { hasCode } from "./durable.ts";
import type { Log } from "./log.ts";

export type Notifier = {
  /** Says READY=1 and begins the watchdog; then leaves `trial/ready` for the guard if the build is on probation. */
  ready(): Promise<void>;
  /** Says STOPPING=1 and ends the watchdog. */
  stopping(): Promise<void>;
};

export type NotifyOptions = {
  readonly disk: Disk;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly pid: number;
  /** Where `trial/` is, while there is one. */
  readonly trialDir: string;
  readonly log: Log;
};

export function createNotifier({ disk, env, pid, trialDir, log }: NotifyOptions): Notifier {
  const send = env.NOTIFY_SOCKET === undefined ? async () => true : (word: string) => notify(word, env, log);
  let watchdog: NodeJS.Timeout | undefined;
  return {
    ready: async () => {
      await send("READY=1");
      const everyMs = watchdogMs(env, pid);
      if (everyMs !== null) watchdog = setInterval(() => void send("WATCHDOG=1"), everyMs).unref();
      await leaveReady(disk, trialDir, log);
    },
    stopping: async () => {
      clearInterval(watchdog);
      await send("STOPPING=1");
    },
  };
}

/** Half of the time within which systemd wants to hear a sign of life, or null when it wants none of this process. */
export function watchdogMs(env: Readonly<NodeJS.ProcessEnv>, pid: number): DurationMs | null {
  const usec = Number(env.WATCHDOG_USEC);
  if (env.NOTIFY_SOCKET === undefined || !Number.isSafeInteger(usec) || usec <= 0) return null;
  if (env.WATCHDOG_PID !== undefined && env.WATCHDOG_PID !== String(pid)) return null;
  return Math.max(1, Math.floor(usec / 2_000));
}

/** From READY on, a stop by systemd is the operator's and not a crash: the guard goes by this file. */
async function leaveReady(disk: Disk, trialDir: string, log: Log): Promise<void> {
  try {
    await (await disk.open(join(trialDir, "ready"), "create")).close();
  } catch (cause) {
    if (hasCode(cause, "ENOENT") || hasCode(cause, "EEXIST")) return;
    log.warn({ cause }, "trial/ready could not be left, so a stop of the unit costs this build a try");
  }
}

function notify(word: string, env: Readonly<NodeJS.ProcessEnv>, log: Log): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn("systemd-notify", [word], { stdio: "ignore", env });
    child.on("error", (cause) => {
      log.error({ cause, word }, "systemd-notify cannot be run, so systemd hears nothing of this service");
      resolve(false);
    });
    child.on("exit", (status) => {
      if (status !== 0) log.warn({ word, status }, "systemd-notify failed");
      resolve(status === 0);
    });
  });
}
