/**
 * What the repository does on disk. Every change is durable when its promise resolves, and each is one step: a
 * crash leaves the state before it or the one after. A test stops after each step and looks at what is left.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

export type RepositoryFiles = {
  /** Null where there is no such file. */
  read(path: string): Promise<string | null>;
  /** Names in a directory; none when it is missing. */
  list(path: string): Promise<string[]>;
  /** Length and SHA-256; null where there is no such file. */
  hash(path: string): Promise<{ bytes: number; sha256: string } | null>;
  /** When a file was changed last, milliseconds since 1970; null where there is none. */
  changedAt(path: string): Promise<number | null>;
  /** Replaces or creates a file. */
  write(path: string, text: string, mode: number): Promise<void>;
  /** Renames a file, making the directory that it goes to. */
  move(from: string, to: string): Promise<void>;
  /** Removes a file; none there is fine. */
  remove(path: string): Promise<void>;
};

export const realFiles: RepositoryFiles = {
  read: (path) => readFile(path, "utf8").catch(noneThere),
  list: async (path) => ((await readdir(path).catch(noneThere)) ?? []).sort(),
  hash: async (path) => {
    const hash = createHash("sha256");
    let bytes = 0;
    try {
      for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
        hash.update(chunk as Buffer);
        bytes += (chunk as Buffer).length;
      }
    } catch (cause) {
      return noneThere(cause);
    }
    return { bytes, sha256: hash.digest("hex") };
  },
  changedAt: async (path) => (await stat(path).catch(noneThere))?.mtimeMs ?? null,
  write: async (path, text, mode) => {
    await mkdir(dirname(path), { recursive: true });
    const temporary = join(dirname(path), `.${basename(path)}.tmp`);
    await rm(temporary, { force: true });
    try {
      await closing(await open(temporary, "wx", mode), async (file) => {
        await file.writeFile(text);
        await file.sync();
      });
      await rename(temporary, path);
    } catch (cause) {
      await rm(temporary, { force: true });
      throw cause;
    }
    await syncDirectory(dirname(path));
  },
  move: async (from, to) => {
    const made = await mkdir(dirname(to), { recursive: true });
    await rename(from, to);
    await syncDirectory(dirname(to));
    await syncDirectory(dirname(from));
    if (made !== undefined) await syncDirectory(dirname(made));
  },
  remove: async (path) => {
    await rm(path, { force: true });
  },
};

/** Makes the names in a directory last. */
export const syncDirectory = async (path: string): Promise<void> =>
  closing(await open(path, "r"), (directory) => directory.sync());

async function closing(file: FileHandle, use: (file: FileHandle) => Promise<void>): Promise<void> {
  try {
    await use(file);
  } finally {
    await file.close();
  }
}

function noneThere(cause: unknown): null {
  if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return null;
  throw cause;
}
