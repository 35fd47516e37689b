import { existsSync } from "node:fs";
import { must } from "./lab/command.ts";

/** Programs that the lab calls, with the Debian package that holds each. */
const NEEDED = {
  "/usr/bin/systemd-nspawn": "systemd-container",
  "/usr/bin/dbus-daemon": "dbus",
  "/usr/sbin/ip": "iproute2",
  "/usr/sbin/mkfs.ext4": "e2fsprogs",
  "/usr/bin/zstd": "zstd",
  "/usr/bin/curl": "curl",
  "/usr/bin/etcd": "etcd-server",
  "/usr/bin/openssl": "openssl",
  "/usr/bin/strip": "binutils",
  "/usr/bin/strace": "strace",
  "/usr/bin/shellcheck": "shellcheck",
  "/usr/bin/lintian": "lintian",
} as const;

/** Installs what is missing, by apt-get; without network when nothing is. */
export async function installPrerequisites(print: (line: string) => void): Promise<void> {
  const missing = Object.entries(NEEDED).flatMap(([file, name]) => (existsSync(file) ? [] : [name]));
  if (missing.length === 0) return;
  print(`installing ${missing.join(", ")}`);
  const options = { timeoutMs: 600_000, env: { ...definedEnv(), DEBIAN_FRONTEND: "noninteractive" } };
  await must("apt-get", ["update", "-q"], options);
  await must("apt-get", ["install", "-q", "-y", "--no-install-recommends", ...missing], options);
}

function definedEnv(): Record<string, string> {
  const entries = Object.entries(process.env);
  return Object.fromEntries(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
