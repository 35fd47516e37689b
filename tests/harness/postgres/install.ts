import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { program } from "./server.ts";

/** Installs PostgreSQL's programs where they are missing and it may; no cluster of the machine's own is made. */
export async function installPostgres(print: (line: string) => void): Promise<void> {
  if (isThere() || process.getuid?.() !== 0) return;
  print("installing postgresql");
  await mkdir("/etc/postgresql-common", { recursive: true });
  const settings = "/etc/postgresql-common/createcluster.conf";
  await writeFile(settings, "create_main_cluster = false\n", { flag: "wx" }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    },
  );
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  await promisify(execFile)("apt-get", ["update", "-qq"], { env });
  await promisify(execFile)("apt-get", ["install", "-y", "-qq", "postgresql"], { env });
}

function isThere(): boolean {
  try {
    return program("initdb") !== "";
  } catch {
    return false;
  }
}
