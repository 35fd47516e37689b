/** Disks that do less than the agent asks, or in another order: mistakes that somebody might make in it. */
import { basename, dirname, join } from "node:path";
import type { Disk, OpenFile } from "../../agent/effects/disk.ts";
import { temporaryName } from "../../agent/effects/durable.ts";
import type { Watch } from "./watch.ts";

export type Spoil = NonNullable<Watch["mutate"]>;

const nothing = async (): Promise<void> => undefined;

/** Nobody calls fsync on what lies at these paths, relative to the node. */
export const withoutSync =
  (path: RegExp): Spoil =>
  (disk, dir) => ({
    ...disk,
    open: async (at, how, mode) => {
      const file = await disk.open(at, how, mode);
      return path.test(at.slice(dir.length + 1)) ? { ...file, sync: nothing } : file;
    },
  });

/** The temporary file gets its name before it gets its content. */
export const renamedBeforeWritten =
  (name: string): Spoil =>
  (disk) => {
    let waiting: ((file: OpenFile) => Promise<void>)[] = [];
    const later = async (run: (file: OpenFile) => Promise<void>): Promise<void> => void waiting.push(run);
    return {
      ...disk,
      open: async (at, how, mode) => {
        const file = await disk.open(at, how, mode);
        if (how !== "create" || basename(at) !== `.${name}.tmp`) return file;
        return {
          ...file,
          write: (data) => later((renamed) => renamed.write(data)),
          chmod: (bits) => later((renamed) => renamed.chmod(bits)),
          sync: () => later((renamed) => renamed.sync()),
        };
      },
      rename: async (from, to) => {
        await disk.rename(from, to);
        if (basename(to) !== name) return;
        const file = await disk.open(to, "append");
        for (const run of waiting) await run(file);
        waiting = [];
        await file.close();
      },
    };
  };

/** The old one goes before the new one comes. */
export const removedBeforeReplaced =
  (name: string): Spoil =>
  (disk) => ({
    ...disk,
    rename: async (from, to) => {
      if (basename(to) === name) await disk.rm(to);
      await disk.rename(from, to);
    },
  });

/** One rename waits until another one is done. */
export const renamedAfter =
  (first: string, other: string): Spoil =>
  (disk, dir) => {
    let late: (() => Promise<void>) | null = null;
    return {
      ...disk,
      rename: async (from, to) => {
        if (to === join(dir, first)) {
          late = () => disk.rename(from, to);
          return;
        }
        await disk.rename(from, to);
        if (to !== join(dir, other)) return;
        await late?.();
        late = null;
      },
    };
  };

/** A release that is removed loses its seal last. */
export const unsealedLast: Spoil = (disk) => ({
  ...disk,
  unlink: async (at) => {
    if (basename(at) !== ".complete" || dirname(at).includes(".prepare-")) await disk.unlink(at);
  },
  rm: async (at) => {
    if (!basename(dirname(at)).startsWith("releases")) return disk.rm(at);
    const names = (await namesIn(disk, at)).filter((name) => name !== ".complete");
    for (const name of names) await disk.rm(join(at, name));
    await disk.rm(at);
  },
});

/** What was cut off is not looked for at the next start. */
export const temporariesStay: Spoil = (disk) => ({
  ...disk,
  readdir: async (at) => (await disk.readdir(at)).filter((name) => temporaryName(name.slice(1, -4)) !== name),
});

const namesIn = async (disk: Disk, at: string): Promise<string[]> => {
  try {
    return await disk.readdir(at);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause) return [];
    throw cause;
  }
};
