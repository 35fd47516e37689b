import { dirname, join } from "node:path";
import type { FileMode } from "../../protocol/build-hash.ts";
import type { BundleSink, FileSink } from "../../protocol/bundle-reader.ts";
import type { Disk, OpenFile } from "./disk.ts";
import { fsyncDir } from "./durable.ts";
import { inParallel } from "./parallel.ts";

/** Bytes taken from the archive and not yet written, and files open at a time, before the reader has to wait. */
const MAX_PENDING_BYTES = 16 * 1024 ** 2;
const MAX_OPEN_FILES = 64;
const PARALLEL_SYNCS = 16;

/**
 * Writes the tree of a bundle below a directory. Many files are written at once, because what takes the time is
 * waiting for the disk to say that one is safe: each is synced as soon as it is whole, and the directories, bottom
 * up, when everything in them is.
 */
export class TreeWriter implements BundleSink {
  readonly #disk: Disk;
  readonly #root: string;
  /** When each directory is there. */
  readonly #directories = new Map<string, Promise<void>>();
  /** Everything begun and not ended; these promises never reject. */
  readonly #jobs = new Set<Promise<void>>();
  #pendingBytes = 0;
  #openFiles = 0;
  #failed: { readonly cause: unknown } | undefined;
  #wake: (() => void) | undefined;
  /** Closes the file whose content is still coming, if it will never come to its end. */
  #abandon: (() => void) | undefined;

  /** `root` is an empty directory that is the writer's alone. */
  constructor(disk: Disk, root: string) {
    this.#disk = disk;
    this.#root = root;
    this.#directories.set(".", Promise.resolve());
  }

  directory(path: string): void {
    const made = this.#parentOf(path).then(async () => {
      await this.#disk.mkdir(join(this.#root, path), 0o755);
      await this.#disk.chmod(join(this.#root, path), 0o755);
    });
    this.#directories.set(path, made);
    this.#run(made);
  }

  link(path: string, target: string): void {
    this.#run(this.#parentOf(path).then(() => this.#disk.symlink(target, join(this.#root, path))));
  }

  file(path: string, mode: FileMode): FileSink {
    let file: OpenFile | undefined;
    let last = this.#parentOf(path).then(async () => {
      file = await this.#disk.open(join(this.#root, path), "create", mode);
    });
    // What fails is told by `ready` and `sync`; until a later step takes it up, it only has to be held.
    const then = (step: (open: OpenFile) => Promise<void>) => {
      last = last.then(() => (file === undefined ? undefined : step(file)));
      last.catch((cause: unknown) => this.#fail(cause));
    };
    const close = () => {
      this.#abandon = undefined;
      const release = () => {
        this.#openFiles -= 1;
        return file?.close();
      };
      this.#run(
        last.then(release, async (cause: unknown) => {
          await release();
          throw cause;
        }),
      );
    };
    this.#openFiles += 1;
    this.#abandon = close;
    return {
      write: (chunk) => {
        this.#pendingBytes += chunk.length;
        then(async (open) => {
          await open.write(chunk);
          this.#pendingBytes -= chunk.length;
          this.#wake?.();
        });
      },
      end: () => {
        then(async (open) => {
          await open.chmod(mode);
          await open.sync();
        });
        close();
      },
    };
  }

  async ready(): Promise<void> {
    while (
      this.#failed === undefined &&
      (this.#pendingBytes > MAX_PENDING_BYTES || this.#openFiles > MAX_OPEN_FILES)
    ) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#failed !== undefined) throw this.#failed.cause;
  }

  /** Waits for everything that was begun, whether it went well or not. */
  async settle(): Promise<void> {
    this.#abandon?.();
    while (this.#jobs.size > 0) await Promise.all(this.#jobs);
  }

  /** Waits until all of it, names and contents, would survive a crash. */
  async sync(): Promise<void> {
    await this.settle();
    if (this.#failed !== undefined) throw this.#failed.cause;
    const byDepth = Map.groupBy(this.#directories.keys(), depth);
    for (const level of [...byDepth.keys()].sort((a, b) => b - a)) {
      await inParallel(byDepth.get(level) ?? [], PARALLEL_SYNCS, (path) =>
        fsyncDir(this.#disk, join(this.#root, path)),
      );
    }
  }

  #parentOf(path: string): Promise<void> {
    return this.#directories.get(dirname(path)) ?? Promise.reject(new Error(`no directory for ${path}`));
  }

  #run(work: Promise<void>): void {
    const job = work
      .catch((cause: unknown) => this.#fail(cause))
      .finally(() => {
        this.#jobs.delete(job);
        this.#wake?.();
      });
    this.#jobs.add(job);
  }

  #fail(cause: unknown): void {
    this.#failed ??= { cause };
    this.#wake?.();
  }
}

const depth = (path: string): number => (path === "." ? 0 : path.split("/").length);
