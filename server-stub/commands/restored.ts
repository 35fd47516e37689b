import { existsSync } from "node:fs";
import { Command } from "commander";
import { FaultError } from "../../protocol/result.ts";
import { restoreEpoch } from "../core/lease/epoch.ts";
import { markRestored } from "../service/restart.ts";
import { openStore } from "../store/open.ts";
import { configOf, type Shared, type World } from "./world.ts";

/**
 * `coordinator restored`: to be said once after the database came out of a backup, before the coordinator is started
 * on it. Refused with `store-in-use` while one runs, and `not-found` where there is no database.
 */
export const restoredCommand = (world: World): Command =>
  new Command("restored")
    .description("say that the database was restored from a backup: no lease token is given twice")
    .option("--json", "print JSON")
    .action(async (_: object, self: Command) => {
      const shared = self.optsWithGlobals<Shared>();
      const config = await configOf(world, shared);
      const { databaseFile } = config;
      if (config.postgres === null && !existsSync(databaseFile)) {
        throw new FaultError({
          code: "not-found",
          message: `There is no database at ${databaseFile}, and none was made.`,
          hint: "Unpack the backup first, or look at --config and --state-dir.",
        });
      }
      const opened = await openStore(config);
      if (!opened.ok) throw new FaultError(opened.error);
      const { store } = opened.value;
      try {
        const now = Date.now();
        const tokenEpoch = await markRestored(store, now, restoreEpoch(now));
        world.print(
          shared.json === true
            ? JSON.stringify({ tokenEpoch })
            : `Lease tokens begin anew in epoch ${tokenEpoch}, and all reservations are dropped. Start the coordinator now.`,
        );
      } finally {
        await store.close();
      }
    });
