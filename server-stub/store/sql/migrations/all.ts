import type { Migration } from "kysely/migration";
import { theSpine } from "./0001-the-spine.ts";
import { rolloutNodes } from "./0002-rollout-nodes.ts";
import { events } from "./0003-events.ts";
import { alertsAndWebhooks } from "./0004-alerts-and-webhooks.ts";
import { policyAndChannels } from "./0005-policy-and-channels.ts";
import { requests } from "./0006-requests.ts";
import { retention } from "./0007-retention.ts";
import { diagnoses } from "./0008-diagnoses.ts";
import { receipts } from "./0009-expand-receipts.ts";
import { signIns } from "./0010-expand-sign-ins.ts";

/**
 * Every change that the tables have been through, in order. A migration that was released is never edited. From the
 * ninth on its name says what it is to coordinators that do not know it: `-expand-` only adds what they need not know
 * (a table, an index, a column that is null or has a default), so that it may run while they do; `-contract-` takes
 * away what only they use, in a later release than the expansion that made it needless.
 */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001-the-spine": { up: theSpine },
  "0002-rollout-nodes": { up: rolloutNodes },
  "0003-events": { up: events },
  "0004-alerts-and-webhooks": { up: alertsAndWebhooks },
  "0006-requests": { up: requests },
  "0007-retention": { up: retention },
  "0005-policy-and-channels": { up: policyAndChannels },
  "0008-diagnoses": { up: diagnoses },
  "0009-expand-receipts": { up: receipts },
  "0010-expand-sign-ins": { up: signIns },
};

/** Whether coordinators that do not know it may go on. */
export const isExpansion = (name: string): boolean => name.includes("-expand-");
