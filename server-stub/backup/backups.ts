/** Backups of a coordinator that runs, or that was put together for just this. */
import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { create } from "tar/create";
import { err, ok, type Result } from "../../protocol/result.ts";
import type { Clock } from "../../protocol/time.ts";
import type { Repository } from "../repository/repository.ts";
import { attempt } from "../service/attempt.ts";
import { actorOf } from "../service/audit.ts";
import type { Principal, Refusal } from "../service/coordinator.ts";
import type { Log } from "../service/parts.ts";
import type { Store } from "../store/store.ts";
import { type BackupManifest, MANIFEST } from "./manifest.ts";
import { stageBackup } from "./stage.ts";

export type BackupChoice = { readonly withKeys: boolean; readonly withBundles: boolean };

export type Backups = {
  /**
   * A backup as it is read: tar under zstd. Whoever reads it to its end has a whole one, and the coordinator notes
   * that it was made; otherwise nothing remains. One at a time. Refusals: `wrong-state`, `unavailable`.
   */
  readonly open: (by: Principal, choice: BackupChoice) => Promise<Result<Readable, Refusal>>;
};

type Options = {
  readonly store: Store;
  readonly repository: Repository;
  readonly config: { readonly stateDir: string; readonly databaseFile: string };
  readonly keysDir: string;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
};

/** Directories in which backups are put together, and in which restores are unpacked, are called so. */
export const STAGING = /^\.(backup|restore)-/;

export function createBackups(options: Options): Backups {
  let busy = false;
  return {
    open: async (by, choice) => {
      if (options.store.copyTo === null) return err(NOT_HERE);
      if (busy) return err(BUSY);
      const room = await roomFor(options);
      if (!room.ok) return room;
      // Asked again, since another may have begun meanwhile.
      if (busy) return err(BUSY);
      busy = true;
      let dir: string | null = null;
      const end = async (): Promise<void> => {
        if (dir !== null) await rm(dir, { recursive: true, force: true });
        busy = false;
      };
      try {
        dir = await mkdtemp(join(options.config.stateDir, ".backup-"));
        const manifest = await stageBackup(options.store, options.repository, {
          dir,
          keysDir: options.keysDir,
          ...choice,
          version: options.version,
          settingsSha256: settingsHash(options.config),
          now: options.clock.now(),
        });
        const stream = Readable.from(read(options, by, dir, manifest, end), { objectMode: false });
        // One that was given up before its first byte was asked for has not begun, and so does not end by itself.
        stream.once("close", () => {
          if (stream.readableDidRead) return;
          end().catch((error: unknown) =>
            options.log.error({ err: error }, "what a backup left stays for now"),
          );
        });
        return ok(stream);
      } catch (error) {
        await end();
        throw error;
      }
    },
  };
}

/** What is left of one that was cut off goes. Nobody may be at work in the directory. */
export async function removeStaging(stateDir: string): Promise<void> {
  for (const name of await readdir(stateDir))
    if (STAGING.test(name)) await rm(join(stateDir, name), { recursive: true, force: true });
}

/** By which one sees that a restored coordinator runs with other settings. */
export const settingsHash = (config: object): string =>
  createHash("sha256").update(JSON.stringify(config)).digest("hex");

async function* read(
  { store, clock, log }: Options,
  by: Principal,
  dir: string,
  manifest: BackupManifest,
  end: () => Promise<void>,
): AsyncGenerator<Buffer> {
  let bytes = 0;
  try {
    const paths = [MANIFEST, ...manifest.members.map(({ path }) => path)];
    const packed = create({ cwd: dir, portable: true, zstd: true }, paths);
    for await (const chunk of packed as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      yield chunk;
    }
    await attempt(store, async () => {
      const meta = await store.meta();
      const { keys, bundles, madeAt } = manifest;
      const entry = {
        action: "store.backed-up",
        subject: "coordinator",
        before: null,
        after: { bytes, keys, bundles },
      };
      return {
        changes: [
          { kind: "meta", value: { ...meta.value, backedUpAt: madeAt }, expected: meta.revision },
          { kind: "audit", value: { at: clock.now(), ...actorOf(by), ...entry } },
        ],
        answer: undefined,
      };
    });
    log.info({ bytes, members: manifest.members.length }, "backup read to its end");
  } finally {
    await end();
  }
}

async function roomFor({ config }: Options): Promise<Result<void, Refusal>> {
  const { bavail, bsize } = await statfs(config.stateDir);
  const { size } = await stat(config.databaseFile);
  if (bavail * bsize > 1.2 * size) return ok(undefined);
  return err({
    code: "unavailable",
    message: `The database has ${size} bytes, and ${bavail * bsize} are free beside it: too few for a copy.`,
    hint: "Free some room on the disk of the state directory. Nothing was done.",
  });
}

const NOT_HERE: Refusal = {
  code: "wrong-state",
  message: "This coordinator's database is at a PostgreSQL server, which makes its own backups.",
  hint: "Use pg_basebackup or pg_dump for it, and copy keys/ and repository/ of the state directory beside. Nothing was done.",
};

const BUSY: Refusal = {
  code: "wrong-state",
  message: "Another backup is being made.",
  hint: "Wait until it is done.",
};
