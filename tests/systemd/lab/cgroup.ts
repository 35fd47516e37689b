import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { until } from "./until.ts";

/**
 * Every node runs in a control group of its own. Without one, two containers that the same process started
 * would share `/payload`, and a `systemctl stop` in one would end processes of the other.
 */
export class NodeCgroup {
  readonly directories: readonly string[];

  constructor(name: string) {
    this.directories = hierarchies().map((root) => join(root, name));
    for (const directory of this.directories) mkdirSync(directory, { recursive: true });
  }

  /** The files into which a process writes its id to move here. */
  get procsFiles(): readonly string[] {
    return this.directories.map((directory) => join(directory, "cgroup.procs"));
  }

  /** Removes the groups; the kernel needs a moment after the last process has gone. */
  async remove(): Promise<void> {
    for (const directory of this.directories) {
      await until(() => removeTree(directory), {
        what: `empty control group ${directory}`,
        timeoutMs: 5_000,
      });
    }
  }
}

/** Removes empty groups of runs that were killed before they could clean up. */
export function sweepCgroups(isStale: (name: string) => boolean): void {
  for (const root of hierarchies()) {
    for (const name of readdirSync(root)) if (isStale(name)) removeTree(join(root, name));
  }
}

/** Where systemd keeps its tree: the unified hierarchy, and beside it `name=systemd` on a hybrid machine. */
function hierarchies(): readonly string[] {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  return lines.flatMap((line) => {
    const [before, after] = line.split(" - ");
    const place = before?.split(" ")[4];
    const [kind, , superOptions] = after?.split(" ") ?? [];
    const tracks =
      kind === "cgroup2" || (kind === "cgroup" && superOptions?.includes("name=systemd") === true);
    return tracks && place !== undefined ? [place] : [];
  });
}

function removeTree(directory: string): boolean {
  if (!existsSync(directory)) return true;
  for (const name of readdirSync(directory)) {
    const child = join(directory, name);
    if (statSync(child).isDirectory()) removeTree(child);
  }
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EBUSY") return false;
    throw error;
  }
}
