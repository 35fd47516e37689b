import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { Command } from "commander";
import { FaultError } from "../../protocol/result.ts";
import { keysDirOf } from "../assemble.ts";
import { settingsHash } from "../backup/backups.ts";
import { type Restored, restoreBackup } from "../backup/restore.ts";
import { isRunning } from "../local.ts";
import { summary } from "./backup.ts";
import { configOf, type Shared, type World } from "./world.ts";

/** `coordinator restore`: puts a backup in the place of the state directory's database, repository and keys. */
export const restoreCommand = (world: World): Command =>
  new Command("restore")
    .description("bring back what a backup holds; to be said while the coordinator is stopped")
    .argument("<file>", "what `coordinator backup` wrote")
    .option("--force", "over a database that is there, which is kept beside it")
    .option("--json", "print JSON")
    .action(async (file: string, { force = false }: { force?: boolean }, self: Command) => {
      const shared = self.optsWithGlobals<Shared>();
      // Opened before the owner of the state directory is become: the file is that of who runs this.
      const backup = await open(resolve(file), "r").catch((cause: Error) => {
        throw new FaultError(
          { code: "not-found", message: `${file} cannot be read: ${cause.message}.` },
          { cause },
        );
      });
      try {
        const config = await configOf(world, shared);
        if (config.postgres !== null) throw new FaultError(NOT_HERE);
        if (await isRunning(config)) throw new FaultError(RUNNING);
        const places = { ...config, keysDir: keysDirOf(config) };
        const source = backup.createReadStream({ highWaterMark: 1 << 20, autoClose: false });
        const restored = await restoreBackup(places, source, { force, now: Date.now() });
        const sameSettings = restored.manifest.settingsSha256 === settingsHash(config);
        const { manifest, ...rest } = restored;
        world.print(
          shared.json === true
            ? JSON.stringify({ ...rest, sameSettings, backup: summary(manifest) })
            : told(restored, sameSettings).join("\n"),
        );
      } finally {
        await backup.close();
      }
    });

/** What was done, and what comes next. */
function told(restored: Restored, sameSettings: boolean): string[] {
  const { manifest, tokenEpoch, carried, signed, missingBundles, replaced } = restored;
  const made = new Date(manifest.madeAt).toISOString();
  return [
    `Restored as of ${made}. What was changed since then is forgotten.`,
    ...(replaced === null ? [] : [`What was there is in ${replaced}.`]),
    ...(carried.targets === 0 && carried.root === 0
      ? []
      : ["What was published since then was still on the disk, and was kept."]),
    "",
    "What comes next:",
    "  1. Start the coordinator: systemctl start baton-coordinator",
    `  2. Lease tokens begin anew in epoch ${tokenEpoch}; reservations are dropped. For three heartbeat intervals`,
    "     nobody's presence is known and nothing is granted; nodes that are in the middle of an update are believed.",
    "  3. Nothing is wanted of any node, and rollouts that ran are paused: nodes stay on what they run. Look at",
    "     `baton nodes` and `baton rollout list`, then start a rollout of what each group should be on.",
    "  4. Nodes that joined since then must join again, and tokens and nodes that were revoked since then are valid",
    "     again: revoke them once more.",
    ...(signed === true
      ? ["  5. Snapshot and timestamp were signed anew, above all that nodes have seen."]
      : [`  5. Snapshot and timestamp could not be signed: ${signed}`]),
    "     Nodes that say `rolled-back` have seen a release that is missing here: baton publish --after-restore BUNDLE…",
    ...(missingBundles.length === 0
      ? []
      : [
          `  6. ${missingBundles.length === 1 ? "1 bundle is" : `${missingBundles.length} bundles are`} missing: baton publish --after-restore BUNDLE, one version at a time, of`,
          ...missingBundles.slice(0, 20).map((name) => `     ${name}`),
          ...(missingBundles.length > 20 ? [`     and ${missingBundles.length - 20} more`] : []),
        ]),
    ...(sameSettings
      ? []
      : [
          "",
          "The backup was made with other settings than those in use now; look at them before you start.",
        ]),
    "",
    "All of it, step by step: docs/OPERATIONS.md, Backup and restore.",
  ];
}

const NOT_HERE = {
  code: "wrong-state",
  message: "The settings name a database at a PostgreSQL server, which is restored by its own tools.",
  hint: "Then say `coordinator restored`, once, before the first coordinator is started. Nothing was done.",
};

const RUNNING = {
  code: "store-in-use",
  message: "The coordinator runs.",
  hint: "Stop it first: systemctl stop baton-coordinator. Nothing was changed.",
};
