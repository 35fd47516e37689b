import { createReadStream } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { Command } from "commander";
import { FaultError } from "../../protocol/result.ts";
import type { BackupManifest } from "../backup/manifest.ts";
import { verifyBackup } from "../backup/verify.ts";
import type { Config } from "../config.ts";
import { runningOrNot, streamLocal } from "../local.ts";
import { syncDirectory } from "../repository/files.ts";
import { readConfig, type Shared, type World } from "./world.ts";

type Options = { withoutKeys?: true; withBundles?: true; verify?: true };

/** `coordinator backup`: of a coordinator that runs, or of its state directory while none does. */
export const backupCommand = (world: World): Command =>
  new Command("backup")
    .description("write everything that must survive into one file; nodes notice nothing")
    .argument(
      "<file>",
      "where it goes, readable by its owner alone; what is there is replaced when it is whole",
    )
    .option("--without-keys", "leave the online keys out")
    .option("--with-bundles", "put the published bundles in, which are large and can be published again")
    .option("--verify", "write nothing: look whether the file is a whole backup")
    .option("--json", "print JSON")
    .action(async (file: string, options: Options, self: Command) => {
      const shared = self.optsWithGlobals<Shared>();
      if (options.verify === true) return verify(world, shared, resolve(file));
      const withKeys = options.withoutKeys !== true;
      const withBundles = options.withBundles === true;
      const config = await readConfig(shared);
      const bytes = await writeWhole(resolve(file), (out) =>
        readBackup(world, config, { withKeys, withBundles }, out),
      );
      world.print(
        shared.json === true
          ? JSON.stringify({ file: resolve(file), bytes, keys: withKeys, bundles: withBundles })
          : [
              `${file} holds all of the coordinator (${bytes} bytes)${withKeys ? ", the online keys too: keep it as safe as the machine" : ", but the online keys"}.`,
              "Settings and certificate are not in it. See whether it can be restored: coordinator backup --verify FILE",
            ].join("\n"),
      );
    });

async function verify(world: World, shared: Shared, file: string): Promise<void> {
  const manifest = await verifyBackup(readFile(file), tmpdir());
  world.print(shared.json === true ? JSON.stringify(summary(manifest)) : described(file, manifest));
}

/** What is said of a backup; its members are left out. */
export const summary = ({ members, ...manifest }: BackupManifest) => ({
  ...manifest,
  bytes: members.reduce((sum, { bytes }) => sum + bytes, 0),
  members: members.length,
});

const described = (file: string, manifest: BackupManifest): string =>
  [
    `${file} is a whole backup, made on ${new Date(manifest.madeAt).toISOString()} by version ${manifest.version}.`,
    `It holds the database, ${manifest.targets === null ? "no release" : `targets version ${manifest.targets}`}, ${manifest.keys ? "the online keys" : "no keys"} and ${manifest.bundles ? "the bundles" : "no bundles"}.`,
  ].join("\n");

/** Through the coordinator that runs, or from its state directory as its owner. */
const readBackup = (
  { actAsOwnerOf = (_dir, work) => work() }: World,
  config: Config,
  choice: { readonly withKeys: boolean; readonly withBundles: boolean },
  out: FileHandle,
): Promise<void> =>
  actAsOwnerOf(config.stateDir, () =>
    runningOrNot(config, {
      running: async () => {
        const path = `/v1/backup?keys=${choice.withKeys}&bundles=${choice.withBundles}`;
        await copy(await streamLocal(config, path), out);
      },
      stopped: async ({ doors, close }) => {
        try {
          const opened = await doors.openBackup?.(LOCAL, choice);
          if (opened === undefined) throw new Error("this coordinator makes no backups");
          if (!opened.ok) throw new FaultError(opened.error);
          await copy(opened.value, out);
        } finally {
          await close();
        }
      },
    }),
  );

const LOCAL = {
  kind: "operator",
  id: "local",
  name: "local",
  role: "admin",
  from: "control socket",
} as const;

/** Rejects when the source breaks off: what is written then is no whole backup. */
async function copy(from: Readable, out: FileHandle): Promise<void> {
  for await (const chunk of from as AsyncIterable<Buffer>) await out.writeFile(chunk);
}

/** A file appears under its name when all of it is on the disk; whatever ends this before leaves what was there. */
async function writeWhole(file: string, write: (out: FileHandle) => Promise<void>): Promise<number> {
  const part = join(dirname(file), `.${basename(file)}.part`);
  let out: FileHandle;
  try {
    await rm(part, { force: true });
    out = await open(part, "wx", 0o600);
  } catch (cause) {
    throw new FaultError(notWritten(file, cause), { cause });
  }
  try {
    await write(out);
    await out.sync();
    const { size } = await out.stat();
    await out.close();
    await rename(part, file);
    await syncDirectory(dirname(file));
    return size;
  } catch (error) {
    await out.close();
    await rm(part, { force: true });
    throw error;
  }
}

/** As a stream whose failure to open is a fault with its file's name. */
export function readFile(file: string): Readable {
  const stream = createReadStream(file, { highWaterMark: 1 << 20 });
  return stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "EACCES" || error.code === "EISDIR")
      stream.destroy(
        new FaultError({ code: "not-found", message: `${file} cannot be read: ${error.message}.` }),
      );
  });
}

const notWritten = (file: string, cause: unknown) => ({
  code: "not-written",
  message: `${file} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}.`,
  hint: "Nothing was backed up. Name a directory that is there and is yours.",
});
