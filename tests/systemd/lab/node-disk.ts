import { createHash } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { must } from "./command.ts";
import { type Layers, maskMachine, mountRoot, writeLabUnits } from "./overlay.ts";

/** Where the agent's state lies in a node, and the coordinator's. */
export const STATE_DIRS = ["/var/lib/baton-agent", "/var/lib/baton-coordinator"] as const;

/** What a frozen node left: layers under `/`, and copies of its state directories. */
export type Image = {
  readonly layers: Layers;
  /** Directory with one folder for each of `STATE_DIRS`, named like its last part. */
  readonly states: string;
};

export type DiskOptions = {
  /** What the node starts from; a bare machine unless given. */
  readonly image?: Image;
  /**
   * Where the agent's state lies: a plain directory of this machine's disk (unless told otherwise), a small
   * ext4 of its own (`megabytes`), or within the node's root (`root`), where a package's purge can remove it.
   */
  readonly state?: "plain" | "root" | { readonly megabytes: number };
};

/** The disk of a node: an overlay as `/`, and what is bound into it from outside. */
export class NodeDisk {
  readonly directory: string;
  readonly root: string;
  /** Bound to `/lab`: how the node and the lab speak during boot. */
  readonly labDir: string;
  readonly journalDir: string;
  /** Pairs of a path on this machine and its place in the node. */
  readonly binds: readonly (readonly [outside: string, inside: string])[];
  readonly #fast: string;
  readonly #lower: Layers;
  readonly #mounts: string[];

  private constructor(
    directory: string,
    fast: string,
    root: string,
    lower: Layers,
    states: readonly (readonly [string, string])[],
  ) {
    this.directory = directory;
    this.root = root;
    this.#fast = fast;
    this.#lower = lower;
    this.labDir = join(directory, "lab");
    this.journalDir = join(directory, "journal");
    this.binds = [[this.labDir, "/lab"], [this.journalDir, "/var/log/journal"], ...states];
    this.#mounts = [root];
  }

  /**
   * `directory` is on this machine's disk; `fast` is on a file system of its own, because one layer of an
   * overlay must not lie within another.
   */
  static async make(
    directory: string,
    fast: string,
    node: { readonly name: string; readonly address: string; readonly hosts: string },
    options: DiskOptions,
  ): Promise<NodeDisk> {
    const layers = options.image?.layers ?? [];
    const root = await mountRoot(fast, layers);
    const states =
      options.state === "root"
        ? []
        : STATE_DIRS.map((inside) => [stateDir(directory, inside), inside] as const);
    const disk = new NodeDisk(directory, fast, root, layers, states);
    for (const path of [disk.labDir, disk.journalDir]) mkdirSync(path, { recursive: true });
    if (options.image === undefined) {
      maskMachine(root);
      writeLabUnits(root);
    }
    for (const [outside, inside] of states) await disk.#fillState(outside, inside, options);
    disk.#writeIdentity(node);
    return disk;
  }

  /** Where a path of the node lies on this machine. */
  outside(path: string): string {
    for (const [outside, inside] of this.binds) {
      if (path === inside || path.startsWith(`${inside}/`)) return outside + path.slice(inside.length);
    }
    return join(this.root, path);
  }

  /**
   * Makes an image of the disk of a node that is down, and removes the disk. The layer goes to `layer`, on the
   * same file system as the overlay, and the state to `states`.
   */
  async freeze(layer: string, states: string): Promise<Image> {
    mkdirSync(states, { recursive: true });
    for (const [outside] of this.binds.slice(2)) await must("cp", ["--archive", outside, states]);
    await this.#unmount();
    mkdirSync(dirname(layer), { recursive: true });
    renameSync(join(this.#fast, "upper"), layer);
    await this.remove();
    return { layers: [layer, ...this.#lower], states };
  }

  /** Unmounts and deletes. May be called twice. */
  async remove(): Promise<void> {
    await this.#unmount();
    for (const path of [this.directory, this.#fast]) rmSync(path, { recursive: true, force: true });
  }

  async #unmount(): Promise<void> {
    for (let mount = this.#mounts.pop(); mount !== undefined; mount = this.#mounts.pop())
      await must("umount", [mount]);
  }

  async #fillState(outside: string, inside: string, options: DiskOptions): Promise<void> {
    mkdirSync(outside, { recursive: true });
    if (typeof options.state === "object" && inside === STATE_DIRS[0]) {
      const file = `${outside}.ext4`;
      await must("truncate", [`--size=${options.state.megabytes}M`, file]);
      await must("mkfs.ext4", ["-q", "-E", "root_owner=0:0", "-O", "^has_journal", "-m", "0", file]);
      await must("mount", ["-o", "loop", file, outside]);
      this.#mounts.push(outside);
      rmSync(join(outside, "lost+found"), { recursive: true });
    }
    const saved = options.image === undefined ? undefined : stateDir(options.image.states, inside);
    if (saved !== undefined && existsSync(saved)) await must("cp", ["--archive", `${saved}/.`, outside]);
  }

  #writeIdentity(node: { readonly name: string; readonly address: string; readonly hosts: string }): void {
    const put = (path: string, text: string) => {
      rmSync(join(this.root, path), { force: true });
      writeFileSync(join(this.root, path), text);
    };
    put("etc/machine-id", `${createHash("md5").update(node.name).digest("hex")}\n`);
    put("etc/hostname", `${node.name}\n`);
    put("etc/hosts", node.hosts);
    const commands = [
      `ip addr add ${node.address}/24 dev host0`,
      "ip link set host0 up",
      "ip link set lo up",
    ];
    writeFileSync(join(this.labDir, "network"), `set -eu\n${commands.join("\n")}\n`);
  }
}

const stateDir = (base: string, inside: string): string =>
  join(base, inside.slice(inside.lastIndexOf("/") + 1));
