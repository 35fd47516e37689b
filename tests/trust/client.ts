/** A node's trust over a simulator, in a temporary directory, with a clock that a test sets. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Disk, realDisk } from "../../agent/effects/disk.ts";
import type { FetchMetadata } from "../../agent/effects/trust/fetch.ts";
import { type RefreshOptions, refreshTrust, type Trusted } from "../../agent/effects/trust/refresh.ts";
import { METADATA_URL, NOW, type Simulator } from "./simulator.ts";

export class Client {
  now = NOW;
  builtAt = 0;
  pinnedRoot: Buffer;
  fetch: FetchMetadata;
  disk: Disk = realDisk;
  readonly stateDir: string;

  static async make(sim: Pick<Simulator, "pinnedRoot" | "fetch">): Promise<Client> {
    return new Client(sim, await mkdtemp(join(tmpdir(), "baton-trust-")));
  }

  private constructor(sim: Pick<Simulator, "pinnedRoot" | "fetch">, stateDir: string) {
    this.stateDir = stateDir;
    this.pinnedRoot = sim.pinnedRoot;
    this.fetch = sim.fetch;
  }

  get options(): RefreshOptions {
    return {
      disk: this.disk,
      stateDir: this.stateDir,
      pinnedRoot: this.pinnedRoot,
      metadataUrl: METADATA_URL,
      fetch: (url, options) => this.fetch(url, options),
      now: () => this.now,
      builtAt: this.builtAt,
      timeoutMs: 5_000,
    };
  }

  /** "ok", or the code of the refusal. */
  async refresh(): Promise<string> {
    const result = await refreshTrust(this.options);
    return result.ok ? "ok" : result.error.code;
  }

  /** The code of the refusal, when what was trusted before stands to the byte. */
  async refusal(): Promise<string> {
    const before = await this.contents();
    const code = await this.refresh();
    const stands = JSON.stringify(await this.contents()) === JSON.stringify(before);
    return stands ? code : `${code}, and what was trusted was changed`;
  }

  /** Versions of the releases that this node would take, after a refresh. */
  async releases(): Promise<string[]> {
    return (await this.refreshed()).bundles.map(({ custom }) => custom.version).sort();
  }

  async refreshed(): Promise<Trusted> {
    const result = await refreshTrust(this.options);
    if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}`);
    return result.value;
  }

  cached(name: string): string {
    return join(this.stateDir, "tuf", "current", name);
  }

  /** Cuts a cached file in the middle. */
  async tear(name: string): Promise<void> {
    const bytes = await readFile(this.cached(name));
    await writeFile(this.cached(name), bytes.subarray(0, bytes.length / 2));
  }

  async version(role: "root" | "timestamp" | "snapshot" | "targets"): Promise<number> {
    return JSON.parse(await readFile(this.cached(`${role}.json`), "utf8")).signed.version;
  }

  /** Every file of the state, to see that nothing has changed. */
  async contents(): Promise<Record<string, string>> {
    const names = await readdir(this.stateDir, { recursive: true, withFileTypes: true });
    const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    return Object.fromEntries(
      await Promise.all(files.sort().map(async (file) => [file, await readFile(file, "utf8")])),
    );
  }

  async loseCache(): Promise<void> {
    await rm(join(this.stateDir, "tuf"), { recursive: true });
  }

  remove(): Promise<void> {
    return rm(this.stateDir, { recursive: true, force: true });
  }
}
