import { type Command, Option } from "commander";
import { ALERT_KINDS, Alert } from "../../protocol/alert.ts";
import { path } from "../api/client.ts";
import { everything } from "../api/everything.ts";
import { nodeNames } from "../api/find-node.ts";
import { table } from "../show/table.ts";
import { instant } from "../show/time.ts";
import type { World } from "../world.ts";
import { apiOf, branch, leaf, must, print, wantsJson } from "./leaf.ts";

/** `baton alerts`: what a person should know of. */
export const alertsCommand = (world: World): Command =>
  branch("alerts", "what a person should know of", [list(world), acknowledge(world)]);

const list = (world: World): Command =>
  leaf("list", "the open alerts")
    .option("--all", "those that are resolved too")
    .addOption(new Option("--kind <kind>", "only those").choices([...ALERT_KINDS]))
    .action(async ({ all, kind }: { all?: true; kind?: string }, command: Command) => {
      const state = all === true ? "all" : "open";
      const api = await apiOf(world, command);
      const alerts = must(await everything(api, ["v1", "alerts"], "alerts", Alert, { state, kind }));
      // Most are about nodes, which people know by name.
      const names = wantsJson(command) ? new Map<string, string>() : await nodeNames(api);
      const rows = alerts.map((alert) => [
        String(alert.id),
        instant(alert.raisedAt),
        alert.kind,
        names.get(alert.subject) ?? alert.subject,
        stateOf(alert),
        alert.message,
      ]);
      const heading = ["ID", "RAISED", "KIND", "SUBJECT", "STATE", "MESSAGE"];
      print(world, command, alerts, alerts.length === 0 ? "No alerts." : table(heading, rows));
    });

const stateOf = ({ resolvedAt, acknowledgedBy }: Alert): string => {
  if (resolvedAt !== null) return "resolved";
  return acknowledgedBy === null ? "open" : `taken on by ${acknowledgedBy}`;
};

const acknowledge = (world: World): Command =>
  leaf("ack", "say that you have taken an alert on; it changes nothing else")
    .argument("<alert>", "its id")
    .option("--note <text>", "what you say to the others")
    .action(async (id: string, { note }: { note?: string }, command: Command) => {
      const api = await apiOf(world, command);
      const body = note === undefined ? {} : { note };
      const where = path("v1", "alerts", id, "ack");
      const alert = must(await api.call({ method: "POST", path: where, body, answer: Alert }));
      print(world, command, alert, `Alert ${alert.id} is taken on by ${alert.acknowledgedBy ?? "you"}.`);
    });
