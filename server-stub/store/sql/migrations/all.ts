import type { Migration, MigrationProvider } from "kysely/migration";
import { theSpine } from "./0001-the-spine.ts";
import { rolloutNodes } from "./0002-rollout-nodes.ts";
import { retention } from "./0007-retention.ts";
import { diagnoses } from "./0008-diagnoses.ts";

/** Every change that the tables have been through, in order. A migration that was released is never edited. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001-the-spine": { up: theSpine },
  "0002-rollout-nodes": { up: rolloutNodes },
  "0007-retention": { up: retention },
  "0008-diagnoses": { up: diagnoses },
};

export const migrationProvider: MigrationProvider = {
  getMigrations: () => Promise.resolve({ ...MIGRATIONS }),
};
