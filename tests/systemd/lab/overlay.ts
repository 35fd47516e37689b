import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { must } from "./command.ts";

/** Layers over the machine's own `/`, newest first, as a frozen node left them. */
export type Layers = readonly string[];

/** Mounts `/` with the layers and a fresh writable one over it. Everything lies under `directory`. */
export async function mountRoot(directory: string, layers: Layers): Promise<string> {
  const [upper, work, root] = ["upper", "work", "root"].map((name) => join(directory, name));
  if (upper === undefined || work === undefined || root === undefined) throw new Error("unreachable");
  for (const path of [upper, work, root]) mkdirSync(path, { recursive: true });
  const lower = [...layers, "/"].join(":");
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  await must("mount", ["-t", "overlay", "overlay", "-o", options, root]);
  return root;
}

/** What a node needs of the machine's own units; every other unit that would start by itself is masked. */
const WANTED = [
  "dbus.service",
  "dbus.socket",
  "systemd-initctl.socket",
  "systemd-journal-flush.service",
  "systemd-journald-dev-log.socket",
  "systemd-journald.service",
  "systemd-journald.socket",
  "systemd-sysusers.service",
  "systemd-tmpfiles-setup.service",
  "systemd-tmpfiles-setup-dev.service",
];

/**
 * Makes a node out of a copy of the machine: whatever the machine starts by itself is masked, so that
 * `multi-user.target` holds what a package enables later and nothing else.
 */
export function maskMachine(root: string): void {
  const units = join(root, "etc/systemd/system");
  for (const name of startedByItself()) mask(join(units, name));
  const generators = join(root, "etc/systemd/system-generators");
  mkdirSync(generators, { recursive: true });
  for (const name of list("/usr/lib/systemd/system-generators")) mask(join(generators, name));
}

/** The units of the lab itself; `lab.target` is what a node boots into. */
export function writeLabUnits(root: string): void {
  const units = join(root, "etc/systemd/system");
  for (const [name, text] of Object.entries(LAB_UNITS)) writeFileSync(join(units, name), text.trimStart());
  const journald = join(root, "etc/systemd/journald.conf.d");
  mkdirSync(journald, { recursive: true });
  writeFileSync(join(journald, "lab.conf"), "[Journal]\nStorage=persistent\nRateLimitIntervalSec=0\n");
}

const LAB_UNITS = {
  "lab.target": `
[Unit]
Description=A node of the lab
Wants=multi-user.target lab-network.service lab-booted.service
AllowIsolate=yes
`,
  "lab-network.service": `
[Unit]
Description=The address of this node
DefaultDependencies=no
Before=network.target network-online.target sysinit.target
Wants=network.target network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh /lab/network
`,
  "lab-booted.service": `
[Unit]
Description=Tells the lab that this node is up
After=basic.target lab-network.service

[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo up > /lab/booted'
`,
};

function startedByItself(): readonly string[] {
  const folders = ["/usr/lib/systemd/system", "/etc/systemd/system"].flatMap((base) =>
    list(base)
      .filter((name) => name.endsWith(".wants") || name.endsWith(".requires"))
      .map((name) => join(base, name)),
  );
  return [...new Set(folders.flatMap(list))].filter((name) => !WANTED.includes(name));
}

const list = (directory: string): readonly string[] => (existsSync(directory) ? readdirSync(directory) : []);

function mask(path: string): void {
  rmSync(path, { force: true });
  symlinkSync("/dev/null", path);
}
