import type { Migration, MigrationProvider } from "kysely/migration";
import { theSpine } from "./0001-the-spine.ts";
import { rolloutNodes } from "./0002-rollout-nodes.ts";

/** Every change that the tables have been through, in order. A migration that was released is never edited. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001-the-spine": { up: theSpine },
  "0002-rollout-nodes": { up: rolloutNodes },
};

export const migrationProvider: MigrationProvider = {
  getMigrations: () => Promise.resolve({ ...MIGRATIONS }),
};
