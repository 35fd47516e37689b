import type { Command } from "commander";
import { Alert } from "../../protocol/alert.ts";
import { AuditEntry } from "../../protocol/audit.ts";
import { ReleaseList } from "../../protocol/release.ts";
import { path } from "../api/client.ts";
import { everything } from "../api/everything.ts";
import { table } from "../show/table.ts";
import { instant } from "../show/time.ts";
import type { World } from "../world.ts";
import { apiOf, leaf, must, print } from "./leaf.ts";

/** `baton releases`: what is published and signed. */
export const releasesCommand = (world: World): Command =>
  leaf("releases", "what is published").action(async (_: object, command: Command) => {
    const api = await apiOf(world, command);
    const list = must(await api.call({ path: path("v1", "releases"), answer: ReleaseList }));
    const rows = list.releases.flatMap((release) =>
      release.bundles.map((bundle) => [
        release.version,
        bundle.platform,
        bundle.buildHash.slice(0, 12),
        `${(bundle.bytes / 1e6).toFixed(1)} MB`,
        release.minVersion ?? "-",
      ]),
    );
    const heading = ["VERSION", "PLATFORM", "BUILD", "SIZE", "FLOOR"];
    const signed = list.expiresAt === null ? "" : `\n\nSigned until ${list.expiresAt}.`;
    print(world, command, list, rows.length === 0 ? "Nothing is published." : table(heading, rows) + signed);
  });

/** `baton alerts`: what a person should know of. */
export const alertsCommand = (world: World): Command =>
  leaf("alerts", "what a person should know of")
    .option("--all", "those that are resolved too")
    .action(async ({ all }: { all?: true }, command: Command) => {
      const alerts = must(await everything(await apiOf(world, command), ["v1", "alerts"], "alerts", Alert));
      const shown = all === true ? alerts : alerts.filter(({ resolvedAt }) => resolvedAt === null);
      const rows = shown.map((alert) => [
        instant(alert.raisedAt),
        alert.kind,
        alert.subject,
        alert.resolvedAt === null ? "open" : "resolved",
        alert.message,
      ]);
      const heading = ["RAISED", "KIND", "SUBJECT", "STATE", "MESSAGE"];
      print(world, command, shown, shown.length === 0 ? "No alerts." : table(heading, rows));
    });

/** `baton audit`: every change that somebody made. */
export const auditCommand = (world: World): Command =>
  leaf("audit", "every change that somebody made, newest first").action(
    async (_: object, command: Command) => {
      const entries = must(
        await everything(await apiOf(world, command), ["v1", "audit"], "entries", AuditEntry),
      );
      const rows = entries.map((entry) => [
        instant(entry.at),
        entry.actor,
        entry.action,
        entry.subject,
        entry.from,
      ]);
      const heading = ["AT", "WHO", "WHAT", "ON", "FROM"];
      print(world, command, entries, entries.length === 0 ? "Nothing yet." : table(heading, rows));
    },
  );
