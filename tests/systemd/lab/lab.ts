import { mkdirSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { FaultProxy, type ProxyOptions, type ProxyTarget } from "../../harness/fault-proxy.ts";
import { Sampler, type SamplerOptions } from "../../harness/sampler.ts";
import { must } from "./command.ts";
import { BRIDGE } from "./container.ts";
import { Node } from "./node.ts";
import { type DiskOptions, type Image, NodeDisk } from "./node-disk.ts";

/** The lab's own end of the bridge: proxies listen here, and the sampler asks from here. */
export const LAB_ADDRESS = "10.99.0.1";

/** The names a node may have, with their addresses; every node knows all of them by `/etc/hosts`. */
export const ADDRESSES = {
  c1: "10.99.0.10",
  n1: "10.99.0.11",
  n2: "10.99.0.12",
  n3: "10.99.0.13",
  n4: "10.99.0.14",
  n5: "10.99.0.15",
  n6: "10.99.0.16",
  n7: "10.99.0.17",
  n8: "10.99.0.18",
  n9: "10.99.0.19",
  n10: "10.99.0.20",
  n11: "10.99.0.21",
  n12: "10.99.0.22",
} as const;

export type NodeName = keyof typeof ADDRESSES;

/** What every lab of one run shares: where things lie, and the images that were made. */
export type Site = {
  /** Slow and real: the machine's disk. */
  readonly directory: string;
  /** A file system of its own (tmpfs), for overlays. */
  readonly fast: string;
  readonly made: Map<string, Promise<unknown>>;
  /** A command that enters the lab's namespaces from outside; a program to run there comes after it. */
  readonly enter: string;
};

/** Makes the bridge and the directories. The caller has put this process into namespaces of its own. */
export async function openSite(directory: string): Promise<Site> {
  const fast = join(directory, "fast");
  // Read before /proc is that of the new process namespace: afterwards this process sees itself as number 1.
  const outerPid = readlinkSync("/proc/self");
  await must("mount", ["-t", "proc", "proc", "/proc"]);
  mkdirSync(fast, { recursive: true });
  await must("mount", ["-t", "tmpfs", "-o", "mode=0755", "tmpfs", fast]);
  mkdirSync("/run/systemd/nspawn", { recursive: true });
  await must("mount", ["-t", "tmpfs", "-o", "mode=0700", "tmpfs", "/run/systemd/nspawn"]);
  await must("ip", ["link", "set", "lo", "up"]);
  await must("ip", ["link", "add", BRIDGE, "type", "bridge"]);
  await must("ip", ["addr", "add", `${LAB_ADDRESS}/24`, "dev", BRIDGE]);
  await must("ip", ["link", "set", BRIDGE, "up"]);
  return { directory, fast, made: new Map(), enter: `nsenter --target ${outerPid} --mount --net --pid --` };
}

/** Deletes what the site holds. All labs are closed; mounts and links go with the namespaces. */
export async function closeSite(site: Site): Promise<void> {
  await must("umount", ["--lazy", site.fast]);
  rmSync(site.directory, { recursive: true, force: true });
}

/** One scenario's machines, proxies and samplers; `close` ends them all, whatever has become of them. */
export class Lab {
  readonly site: Site;
  readonly name: string;
  readonly #nodes = new Map<NodeName, Node>();
  readonly #closers: (() => Promise<void>)[] = [];
  readonly #making = new Set<Promise<Node>>();
  #closed = false;

  constructor(site: Site, name: string) {
    this.site = site;
    this.name = name;
  }

  get nodes(): readonly Node[] {
    return [...this.#nodes.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Makes a machine, and boots it unless told otherwise. */
  async node(name: NodeName, options: DiskOptions & { readonly boot?: boolean } = {}): Promise<Node> {
    const making = this.#make(name, options);
    this.#making.add(making);
    try {
      const node = await making;
      if (options.boot !== false) await node.boot();
      return node;
    } finally {
      this.#making.delete(making);
    }
  }

  async #make(name: NodeName, options: DiskOptions): Promise<Node> {
    if (this.#closed) throw new Error(`The lab ${this.name} is closed.`);
    if (this.#nodes.has(name)) throw new Error(`${name} exists already.`);
    const address = ADDRESSES[name];
    const [directory, fast] = [
      join(this.site.directory, this.name, name),
      join(this.site.fast, this.name, name),
    ];
    const disk = await NodeDisk.make(directory, fast, { name, address, hosts: hostsFile() }, options);
    const node = new Node(name, address, disk);
    this.#nodes.set(name, node);
    return node;
  }

  /** Several machines at once, in the order of the names. */
  async boot<const Names extends readonly NodeName[]>(
    names: Names,
    options: DiskOptions | ((name: NodeName) => DiskOptions) = {},
  ): Promise<{ [K in keyof Names]: Node }> {
    const made = names.map((name) =>
      this.node(name, typeof options === "function" ? options(name) : options),
    );
    return (await Promise.all(made)) as { [K in keyof Names]: Node };
  }

  /** A proxy on the bridge that can delay, cut, stall and drop what goes through it. */
  async proxy(target: ProxyTarget, options: Pick<ProxyOptions, "port" | "tls"> = {}): Promise<FaultProxy> {
    const proxy = await FaultProxy.listen({ host: LAB_ADDRESS, ...options, target });
    this.#closers.push(() => proxy.close());
    return proxy;
  }

  /** Asks every address every 50 ms whether it serves, until stopped. */
  sample(options: SamplerOptions): Sampler {
    const sampler = new Sampler(options);
    this.#closers.push(() => sampler.stop());
    return sampler;
  }

  /** A command for a person outside the lab that opens a shell in a node. */
  shellCommand(node: Node): string {
    return `${this.site.enter} nsenter --target ${node.leader} --all`;
  }

  /** Something else to end when the scenario ends. */
  defer(close: () => Promise<void>): void {
    this.#closers.push(close);
  }

  /**
   * Shuts a node down and keeps what is on its disk as an image that later nodes start from.
   * The node is gone afterwards; so is its journal.
   */
  async freeze(node: Node, name: string): Promise<Image> {
    if (node.running) await node.poweroff();
    for (const [known, own] of this.#nodes) if (own === node) this.#nodes.delete(known);
    const [layer, states] = [this.site.fast, this.site.directory].map((base) =>
      join(base, "images", name),
    ) as [string, string];
    return await node.disk.freeze(layer, states);
  }

  /** What other scenarios of this run made already, or `make`s it: made once for all of them. */
  once<T>(key: string, make: () => Promise<T>): Promise<T> {
    const made = this.site.made.get(key) ?? make();
    this.site.made.set(key, made);
    return made as Promise<T>;
  }

  /** Ends and deletes everything; goes on over errors and throws them together at the end. */
  async close(): Promise<void> {
    this.#closed = true;
    // A scenario that ran out of time may still be at work; what it has begun to make is waited for.
    await Promise.allSettled(this.#making);
    const ends = [...this.#closers.splice(0), ...this.nodes.map((node) => () => node.destroy())];
    this.#nodes.clear();
    const settled = await Promise.allSettled(ends.map((end) => end()));
    for (const base of [this.site.directory, this.site.fast]) {
      rmSync(join(base, this.name), { recursive: true, force: true });
    }
    const faults = settled.flatMap((one) => (one.status === "rejected" ? [one.reason as unknown] : []));
    if (faults.length > 0) throw new AggregateError(faults, `The lab ${this.name} could not be cleaned up.`);
  }
}

const hostsFile = (): string =>
  [
    "127.0.0.1 localhost",
    ...Object.entries(ADDRESSES).map(([name, address]) => `${address} ${name}`),
    "",
  ].join("\n");
