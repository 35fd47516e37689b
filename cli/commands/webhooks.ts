import { type Command, Option } from "commander";
import { ALERT_KINDS } from "../../protocol/alert.ts";
import { Delivery, ROLLOUT_NOTICES, Webhook, WebhookCreated } from "../../protocol/webhook.ts";
import { path } from "../api/client.ts";
import { everything } from "../api/everything.ts";
import { newest } from "../api/newest.ts";
import { table } from "../show/table.ts";
import { instant } from "../show/time.ts";
import type { World } from "../world.ts";
import { apiOf, branch, countOption, leaf, must, print, someOf, wantsJson } from "./leaf.ts";

/** `baton webhooks`: addresses that are told of alerts and rollouts. */
export const webhooksCommand = (world: World): Command =>
  branch("webhooks", "addresses that are told of alerts and rollouts, each message signed", [
    list(world),
    add(world),
    edit(world),
    test(world),
    deliveries(world),
    remove(world),
  ]);

const list = (world: World): Command =>
  leaf("list", "all webhooks").action(async (_: object, command: Command) => {
    const api = await apiOf(world, command);
    const webhooks = must(await everything(api, ["v1", "webhooks"], "webhooks", Webhook));
    const rows = webhooks.map((webhook) => [
      webhook.id,
      webhook.enabled ? "on" : "off",
      webhook.alerts === null ? "all" : webhook.alerts.join(",") || "none",
      webhook.rollouts.map((each) => each.replace("rollout.", "")).join(",") || "none",
      webhook.url,
    ]);
    const heading = ["ID", "STATE", "ALERTS", "ROLLOUTS", "ADDRESS"];
    print(world, command, webhooks, webhooks.length === 0 ? "No webhooks." : table(heading, rows));
  });

type ToldOptions = { alert?: string[] | false; allAlerts?: true; rollout?: string[] | false };

const NOTICES = ROLLOUT_NOTICES.map((notice) => notice.replace("rollout.", ""));

/** What a webhook is told of. */
const withTold = (command: Command): Command =>
  command
    .addOption(someOf(new Option("--alert <kind>", "of alerts of this kind, or of these only"), ALERT_KINDS))
    .option("--all-alerts", "of alerts of every kind")
    .option("--no-alert", "of no alerts")
    .addOption(someOf(new Option("--rollout <what>", "of rollouts that do this, or these"), NOTICES))
    .option("--no-rollout", "of no rollouts");

const toldOf = ({ alert, allAlerts, rollout }: ToldOptions) => ({
  ...(allAlerts === true
    ? { alerts: null }
    : alert === undefined
      ? {}
      : { alerts: alert === false ? [] : alert }),
  ...(rollout === undefined
    ? {}
    : { rollouts: rollout === false ? [] : rollout.map((each) => `rollout.${each}`) }),
});

const add = (world: World): Command =>
  withTold(leaf("add", "tell another address; prints the secret that its messages are signed with, once"))
    .argument("<url>", "where messages are sent to")
    .option("--disabled", "send nothing yet")
    .action(async (url: string, options: ToldOptions & { disabled?: true }, command: Command) => {
      const api = await apiOf(world, command);
      const body = { url, ...toldOf(options), ...(options.disabled === true ? { enabled: false } : {}) };
      const where = path("v1", "webhooks");
      const made = must(await api.call({ method: "POST", path: where, body, answer: WebhookCreated }));
      print(world, command, made, made.secret);
      if (!wantsJson(command)) {
        world.err.write(
          `Webhook ${made.webhook.id}. Its secret is shown only now; try it: baton webhooks test ${made.webhook.id}\n`,
        );
      }
    });

type EditOptions = ToldOptions & { address?: string; enable?: true; disable?: true };

const edit = (world: World): Command =>
  withTold(leaf("edit", "change where a webhook's messages go, or what it is told of"))
    .argument("<webhook>", "its id")
    .option("--address <url>", "where messages are sent to")
    .option("--enable", "send again")
    .option("--disable", "send nothing")
    .action(async (id: string, options: EditOptions, command: Command) => {
      const api = await apiOf(world, command);
      const body = {
        ...(options.address === undefined ? {} : { url: options.address }),
        ...toldOf(options),
        ...(options.enable === true ? { enabled: true } : {}),
        ...(options.disable === true ? { enabled: false } : {}),
      };
      const where = path("v1", "webhooks", id);
      const webhook = must(await api.call({ method: "PATCH", path: where, body, answer: Webhook }));
      print(
        world,
        command,
        webhook,
        `Webhook ${webhook.id} is changed, and ${webhook.enabled ? "on" : "off"}.`,
      );
    });

const test = (world: World): Command =>
  leaf("test", "send it a message now")
    .argument("<webhook>", "its id")
    .action(async (id: string, _: object, command: Command) => {
      const api = await apiOf(world, command);
      const where = path("v1", "webhooks", id, "test");
      const sent = must(await api.call({ method: "POST", path: where, answer: Delivery }));
      print(world, command, sent, `Message ${sent.id} ${sent.status}. See: baton webhooks deliveries ${id}`);
    });

const deliveries = (world: World): Command =>
  leaf("deliveries", "what was sent to it, and what came of it, newest first")
    .argument("<webhook>", "its id")
    .option("--limit <n>", "how many at most", countOption, 20)
    .action(async (id: string, { limit }: { limit: number }, command: Command) => {
      const api = await apiOf(world, command);
      const where = ["v1", "webhooks", id, "deliveries"];
      const sent = must(await newest(api, where, "deliveries", Delivery, limit));
      const rows = sent.map((each) => [
        String(each.id),
        instant(each.createdAt),
        each.event,
        each.subject,
        each.status,
        String(each.attempts),
        each.lastError ?? (each.lastStatus === null ? "-" : `status ${each.lastStatus}`),
      ]);
      const heading = ["ID", "AT", "EVENT", "ABOUT", "STATUS", "TRIES", "LAST ANSWER"];
      print(world, command, sent, sent.length === 0 ? "Nothing was sent yet." : table(heading, rows));
    });

const remove = (world: World): Command =>
  leaf("remove", "tell it nothing any more")
    .argument("<webhook>", "its id")
    .action(async (id: string, _: object, command: Command) => {
      const api = await apiOf(world, command);
      const where = path("v1", "webhooks", id);
      const webhook = must(await api.call({ method: "DELETE", path: where, answer: Webhook }));
      print(world, command, webhook, `Webhook ${webhook.id} is removed.`);
    });
