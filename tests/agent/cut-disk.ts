import type { Disk, OpenFile } from "../../agent/effects/disk.ts";
import { realDisk } from "../../agent/effects/disk.ts";

/**
 * The real disk, on which the world stops before a chosen effect: that effect and all after it fail, and a write
 * leaves half of itself. It counts what is under way, so that a test knows when nothing is.
 */
export class CutDisk {
  /** Effects so far. */
  effects = 0;
  /** Calls that have begun and not ended. */
  underWay = 0;
  readonly disk: Disk;
  readonly #waiting: (() => void)[] = [];
  readonly #cutBefore: number;
  /** What the effects were, for messages. */
  readonly names: string[] = [];

  constructor(cutBefore = Number.POSITIVE_INFINITY) {
    this.#cutBefore = cutBefore;
    const reads =
      <A extends unknown[], T>(run: (...args: A) => Promise<T>) =>
      (...args: A): Promise<T> =>
        this.during(() => (this.isCut ? this.#stopped() : run(...args)));
    const effect =
      <A extends unknown[]>(name: string, run: (...args: A) => Promise<void>) =>
      (...args: A): Promise<void> =>
        this.during(() => this.#effect(`${name} ${String(args[1] ?? args[0])}`, () => run(...args)));
    this.disk = {
      ...realDisk,
      readFile: reads((path: string) => realDisk.readFile(path)),
      readText: reads((path: string) => realDisk.readText(path)),
      readlink: reads((path: string) => realDisk.readlink(path)),
      readdir: reads((path: string) => realDisk.readdir(path)),
      lstat: reads((path: string) => realDisk.lstat(path)),
      statfs: reads((path: string) => realDisk.statfs(path)),
      rename: effect("rename", (from: string, to: string) => realDisk.rename(from, to)),
      symlink: effect("symlink", (target: string, path: string) => realDisk.symlink(target, path)),
      unlink: effect("unlink", (path: string) => realDisk.unlink(path)),
      mkdir: effect("mkdir", (path: string, mode?: number) => realDisk.mkdir(path, mode)),
      rm: effect("rm", (path: string) => realDisk.rm(path)),
      chmod: effect("chmod", (path: string, mode: number) => realDisk.chmod(path, mode)),
      open: (path, how, mode) =>
        this.during(async () => {
          if (how === "read")
            return this.isCut ? this.#stopped() : this.#wrap(path, await realDisk.open(path, how));
          let file: OpenFile | null = null;
          await this.#effect(`${how} ${path}`, async () => {
            file = await realDisk.open(path, how, mode);
          });
          if (file === null) throw new Error("no file");
          return this.#wrap(path, file);
        }),
    };
  }

  get isCut(): boolean {
    return this.effects >= this.#cutBefore;
  }

  #wrap(path: string, file: OpenFile): OpenFile {
    return {
      read: (into, position) => this.during(() => (this.isCut ? this.#stopped() : file.read(into, position))),
      write: (data) =>
        this.during(async () => {
          const half = this.effects + 1 >= this.#cutBefore && !this.isCut;
          if (half) await file.write(data.subarray(0, Math.floor(data.length / 2)));
          await this.#effect(`write ${path}`, () => file.write(data));
        }),
      chmod: (mode) => this.during(() => (this.isCut ? this.#stopped() : file.chmod(mode))),
      truncate: (bytes) => this.during(() => this.#effect(`truncate ${path}`, () => file.truncate(bytes))),
      // Nothing that survives a crash of the process alone depends on it; order is tested in durable.test.ts.
      sync: () => this.during(() => (this.isCut ? this.#stopped() : Promise.resolve())),
      close: () => this.during(() => file.close()),
    };
  }

  async #effect(name: string, run: () => Promise<void>): Promise<void> {
    if (this.effects + 1 >= this.#cutBefore) {
      this.effects = Math.max(this.effects, this.#cutBefore);
      return this.#stopped();
    }
    this.effects += 1;
    this.names.push(name);
    await run();
  }

  /** Done when nothing is under way, and what followed from the last has begun nothing new. */
  async idle(): Promise<void> {
    await new Promise(setImmediate);
    while (this.underWay > 0) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
      await new Promise(setImmediate);
    }
  }

  /** Counts something as under way. */
  async during<T>(run: () => Promise<T>): Promise<T> {
    this.underWay += 1;
    try {
      return await run();
    } finally {
      this.underWay -= 1;
      if (this.underWay === 0) for (const wake of this.#waiting.splice(0)) wake();
    }
  }

  #stopped(): Promise<never> {
    return Promise.reject(Object.assign(new Error("the world has stopped"), { code: "EIO" }));
  }
}
