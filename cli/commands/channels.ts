import type { Command } from "commander";
import { Channel } from "../../protocol/policy.ts";
import { path } from "../api/client.ts";
import { everything } from "../api/everything.ts";
import { choiceParts } from "../show/rollout/words.ts";
import { selected } from "../show/selected.ts";
import { facts, table } from "../show/table.ts";
import { instant } from "../show/time.ts";
import type { World } from "../world.ts";
import { apiOf, branch, leaf, must, print } from "./leaf.ts";
import { type PolicyOptions, policyOf, withPolicy } from "./rollout/policy-options.ts";
import { type SelectionOptions, selectionOf, withSelection } from "./rollout/selection-options.ts";

/** `baton channels`: names for a release that move on, such as `stable`. */
export const channelsCommand = (world: World): Command =>
  branch("channels", "names for a release that move on, such as stable; groups follow them", [
    list(world),
    show(world),
    set(world),
    promote(world),
    remove(world),
  ]);

const list = (world: World): Command =>
  leaf("list", "the channels, and the release that each is at").action(
    async (_: object, command: Command) => {
      const api = await apiOf(world, command);
      const channels = must(await everything(api, ["v1", "channels"], "channels", Channel));
      const rows = channels.map((channel) => [
        channel.name,
        channel.release ?? "-",
        instant(channel.promotedAt),
        startsOf(channel),
      ]);
      const heading = ["NAME", "RELEASE", "PROMOTED", "A PROMOTION STARTS"];
      print(world, command, channels, channels.length === 0 ? "No channels." : table(heading, rows));
    },
  );

const startsOf = ({ startOnPublish, selection }: Channel): string => {
  if (!startOnPublish) return "nothing";
  return `a rollout to ${selection === null ? "the groups that follow it" : selected(selection)}`;
};

const factsOf = (channel: Channel): string =>
  facts([
    ["name", channel.name],
    ["release", channel.release ?? "-"],
    ["promoted", instant(channel.promotedAt)],
    ["starts", startsOf(channel)],
    ["policy", choiceParts(channel.policy).join(", ") || "the fleet's"],
  ]);

const show = (world: World): Command =>
  leaf("show", "one channel")
    .argument("<channel>", "name")
    .action(async (name: string, _: object, command: Command) => {
      const api = await apiOf(world, command);
      const channel = must(await api.call({ path: path("v1", "channels", name), answer: Channel }));
      print(world, command, channel, factsOf(channel));
    });

type SetOptions = SelectionOptions & PolicyOptions & { startOnPublish?: boolean; followers?: true };

const set = (world: World): Command =>
  withPolicy(withSelection(leaf("set", "make a channel, or change what a promotion to it does")))
    .argument("<channel>", "name")
    .option("--start-on-publish", "a promotion starts a rollout by itself, with this policy, of these nodes")
    .option("--no-start-on-publish", "a promotion starts nothing")
    .option("--followers", "of the groups that follow it, instead of a selection of its own")
    .action(async (name: string, options: SetOptions, command: Command) => {
      const api = await apiOf(world, command);
      const policy = policyOf(options);
      const selection = options.followers === true ? null : (selectionOf(options) ?? undefined);
      const body = {
        ...(options.startOnPublish === undefined ? {} : { startOnPublish: options.startOnPublish }),
        ...(selection === undefined ? {} : { selection }),
        ...(Object.keys(policy).length === 0 ? {} : { policy }),
      };
      const where = path("v1", "channels", name);
      const channel = must(await api.call({ method: "PUT", path: where, body, answer: Channel }));
      print(world, command, channel, factsOf(channel));
    });

const promote = (world: World): Command =>
  leaf("promote", "move a channel to a release; starts a rollout if the channel says so")
    .argument("<channel>", "name")
    .argument("<release>", "a version that is published")
    .action(async (name: string, release: string, _: object, command: Command) => {
      const api = await apiOf(world, command);
      const request = {
        method: "POST",
        path: path("v1", "channels", name, "promote"),
        body: { release },
      } as const;
      const channel = must(await api.call({ ...request, answer: Channel }));
      print(world, command, channel, promoted(channel));
    });

export const promoted = (channel: Channel): string =>
  `${channel.name} is at ${channel.release ?? "-"}.${channel.startOnPublish ? ` It starts ${startsOf(channel)}: baton rollout list` : ""}`;

const remove = (world: World): Command =>
  leaf("remove", "remove a channel that no group follows")
    .argument("<channel>", "name")
    .action(async (name: string, _: object, command: Command) => {
      const api = await apiOf(world, command);
      const where = path("v1", "channels", name);
      const channel = must(await api.call({ method: "DELETE", path: where, answer: Channel }));
      print(world, command, channel, `The channel ${channel.name} is removed.`);
    });
