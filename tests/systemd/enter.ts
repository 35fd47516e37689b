import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";

/** Set in the environment of a process that runs within the lab's own namespaces. */
const INSIDE = "BATON_LAB_INSIDE";

/** True in the process that `enterNamespaces` started. */
export const isInside = (): boolean => process.env[INSIDE] === "1";

/**
 * Runs this same program again in mount, network and process namespaces of its own, and gives its exit status.
 * Whatever the lab mounts, links and starts lives only there: when the run ends, in whatever way, the kernel
 * takes all of it away, and nothing of it can meet what the machine has.
 */
export async function enterNamespaces(): Promise<number> {
  const unshare = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"];
  const args = ["--pdeathsig", "KILL", ...unshare, process.execPath, ...process.argv.slice(1)];
  const child = spawn("setpriv", args, {
    stdio: "inherit",
    env: { ...process.env, [INSIDE]: "1", LAB_ID: String(process.pid) },
  });
  // unshare itself lets no signal through, so the one inside is told directly; it cleans up and ends. It is told
  // again until it has ended: the first process of a namespace does not hear what it has no handler for yet.
  let teller: NodeJS.Timeout | undefined;
  const tell = (signal: NodeJS.Signals) => {
    teller ??= setInterval(() => {
      for (const pid of childrenOf(child.pid)) process.kill(pid, signal);
    }, 100);
  };
  process.on("SIGINT", tell).on("SIGTERM", tell);
  const [code] = (await once(child, "exit")) as [number | null];
  clearInterval(teller);
  return code ?? 1;
}

function childrenOf(pid: number | undefined): readonly number[] {
  const file = `/proc/${pid}/task/${pid}/children`;
  if (pid === undefined || !existsSync(file)) return [];
  const text = readFileSync(file, "utf8").trim();
  return text === "" ? [] : text.split(" ").map(Number);
}
