import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync, rmSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { NodeCgroup } from "./cgroup.ts";
import type { NodeDisk } from "./node-disk.ts";
import { until } from "./until.ts";

/** The bridge that joins all nodes. */
export const BRIDGE = "br-lab";

/** Tells the process 1 of a container to power off in order: `SIGRTMIN+4`, see systemd(1), "Signals". */
const POWEROFF_SIGNAL = 34 + 4;

/** A started `systemd-nspawn` with its process 1, the leader. */
export type Container = {
  /** Process 1 of the node, as this machine counts processes. */
  readonly leader: number;
  /** Every unit is stopped, then the machine. */
  poweroff(): Promise<void>;
  /** SIGKILL to the leader: the kernel kills every other process of the node with it. */
  kill(): Promise<void>;
};

/** Boots the node on its disk and waits until it says that it is up. */
export async function startContainer(name: string, disk: NodeDisk): Promise<Container> {
  const bootedFile = join(disk.labDir, "booted");
  rmSync(bootedFile, { force: true });
  const cgroup = new NodeCgroup(`baton-lab-${process.env.LAB_ID ?? process.pid}-${name}`);
  const nspawn = spawnContainer(name, disk, cgroup);
  const gone = once(nspawn, "exit").then(() => cgroup.remove());
  const up = () => {
    if (nspawn.exitCode !== null || nspawn.signalCode !== null) throw new Error("systemd-nspawn has ended");
    return existsSync(bootedFile);
  };
  try {
    await until(up, { what: `boot of ${name}`, timeoutMs: 20_000, everyMs: 10 });
  } catch (error) {
    nspawn.kill("SIGKILL");
    await gone;
    const printed = readFileSync(join(disk.directory, "console.log"), "utf8");
    throw new Error(`${name} did not boot. Its console says:\n${printed}`, { cause: error });
  }
  const leader = onlyChild(nspawn);
  const end = async (signal: number) => {
    if (nspawn.exitCode === null && nspawn.signalCode === null) process.kill(leader, signal);
    await gone;
  };
  return { leader, poweroff: () => end(POWEROFF_SIGNAL), kill: () => end(constants.signals.SIGKILL) };
}

/** A session of its own, so that an interrupt at the terminal reaches the lab alone and it can clean up. */
function spawnContainer(name: string, disk: NodeDisk, cgroup: NodeCgroup): ChildProcess {
  const console = openSync(join(disk.directory, "console.log"), "a");
  const move = cgroup.procsFiles.map((file) => `echo $$ > ${file}`).join("; ");
  const args = [
    "--quiet",
    "--boot",
    `--directory=${disk.root}`,
    "--register=no",
    "--keep-unit",
    `--machine=${name}`,
    `--network-bridge=${BRIDGE}`,
    "--link-journal=no",
    "--resolv-conf=off",
    "--timezone=off",
    "--console=pipe",
    ...disk.binds.map(([outside, inside]) => `--bind=${outside}:${inside}`),
    "--",
    "systemd.unit=lab.target",
    "systemd.show_status=no",
  ];
  try {
    return spawn("/bin/sh", ["-euc", `${move}; exec systemd-nspawn "$@"`, "sh", ...args], {
      stdio: ["ignore", console, console],
      detached: true,
    });
  } finally {
    closeSync(console);
  }
}

function onlyChild(parent: ChildProcess): number {
  const children = readFileSync(`/proc/${parent.pid}/task/${parent.pid}/children`, "utf8").trim().split(" ");
  const [only, second] = children;
  if (only === undefined || second !== undefined)
    throw new Error(`systemd-nspawn has children ${children.join(" ")}`);
  return Number(only);
}
