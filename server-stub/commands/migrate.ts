import { Command } from "commander";
import { FaultError } from "../../protocol/result.ts";
import { migrateStore } from "../store/open.ts";
import { configOf, type Shared, type World } from "./world.ts";

type Options = { dryRun?: boolean; contract?: boolean };

/**
 * `coordinator migrate`: brings the tables of a PostgreSQL database up to date, while coordinators run on it. A file
 * is brought up to date by the coordinator that opens it, and by this, while none runs. May be run again.
 */
export const migrateCommand = (world: World): Command =>
  new Command("migrate")
    .description("bring the database's tables up to date; coordinators may run meanwhile, older ones too")
    .option("--dry-run", "say what would be done, and do nothing")
    .option("--contract", "also take away what only older coordinators use: none may run any more")
    .option("--json", "print JSON")
    .action(async ({ dryRun = false, contract = false }: Options, self: Command) => {
      const shared = self.optsWithGlobals<Shared>();
      const done = await migrateStore(await configOf(world, shared), { dryRun, contract });
      if (!done.ok) throw new FaultError(done.error);
      const { ran, left } = done.value;
      if (shared.json === true) return world.print(JSON.stringify({ dryRun, ran, left }));
      world.print(
        [
          ran.length === 0 ? "Nothing is to be done: the tables are up to date." : told(ran, dryRun),
          ...left.map((name) => `Left for when no older coordinator runs (--contract): ${name}`),
        ].join("\n"),
      );
    });

const told = (ran: readonly string[], dryRun: boolean): string =>
  ran.map((name) => `${dryRun ? "Would run" : "Ran"}  ${name}`).join("\n");
