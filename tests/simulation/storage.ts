/** What outlives a coordinator's process: its database, and the backups of it. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { emptyState, type MemoryState } from "../../server-stub/store/memory/state.ts";
import { openMemoryStore } from "../../server-stub/store/memory/store.ts";
import { openSqliteStore } from "../../server-stub/store/sqlite/open.ts";
import type { Store } from "../../server-stub/store/store.ts";

export type StorageKind = "memory" | "sqlite";

export type Storage = {
  readonly kind: StorageKind;
  /** For the next process; the one before must have let go of it. */
  open(now: () => number): Promise<Store>;
  /** As it is right now; called while it is open or not. */
  backup(store: Store | null): Promise<void>;
  /** Puts the last backup in its place; false when there is none. */
  restore(): Promise<boolean>;
  remove(): Promise<void>;
};

export const openStorage = (kind: StorageKind): Promise<Storage> =>
  kind === "memory" ? Promise.resolve(inMemory()) : onDisk();

function inMemory(): Storage {
  let state = emptyState();
  let kept: MemoryState | null = null;
  return {
    kind: "memory",
    open: (now) => Promise.resolve(openMemoryStore(now, state)),
    backup: () => {
      kept = copyOf(state);
      return Promise.resolve();
    },
    restore: () => {
      if (kept !== null) state = copyOf(kept);
      return Promise.resolve(kept !== null);
    },
    remove: () => Promise.resolve(),
  };
}

/** Values never change; the maps and lists that hold them do. */
function copyOf(state: MemoryState): MemoryState {
  const copied = Object.entries(state).map(([name, held]: [string, unknown]) => {
    if (held instanceof Map) return [name, new Map(held)];
    if (Array.isArray(held)) return [name, [...(held as unknown[])]];
    return [name, { ...(held as object) }];
  });
  return Object.fromEntries(copied) as MemoryState;
}

/** Memory where there is some: nothing of it needs to outlive the test. */
const PLACE = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

async function onDisk(): Promise<Storage> {
  const dir = join(PLACE, `baton-simulation-${randomBytes(6).toString("hex")}`);
  await mkdir(dir);
  const file = join(dir, "coordinator.db");
  const kept = join(dir, "backup.db");
  return {
    kind: "sqlite",
    open: async (now) => {
      const opened = await openSqliteStore(file, now);
      if (!opened.ok) throw new Error(opened.error.message);
      return opened.value;
    },
    backup: async (store) => {
      if (store?.copyTo == null) return;
      await rm(kept, { force: true });
      await store.copyTo(kept);
    },
    restore: async () => {
      if (!existsSync(kept)) return false;
      for (const name of [file, `${file}-wal`, `${file}-shm`]) await rm(name, { force: true });
      await copyFile(kept, file);
      return true;
    },
    remove: () => rm(dir, { recursive: true }),
  };
}

/** One store for all who open it, as on a database server: it outlives each of them. */
export function sharedStorage(storage: Storage): Storage {
  let opened: Promise<Store> | null = null;
  return {
    ...storage,
    open: async (now) => {
      opened ??= storage.open(now);
      return { ...(await opened), close: () => Promise.resolve() };
    },
    restore: async () => {
      const before = await opened;
      opened = null;
      await before?.close();
      return storage.restore();
    },
    remove: async () => {
      await (await opened)?.close();
      await storage.remove();
    },
  };
}
