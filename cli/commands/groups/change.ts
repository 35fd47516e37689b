import { type Command, Option } from "commander";
import { Group } from "../../../protocol/group.ts";
import { path } from "../../api/client.ts";
import { groupFacts } from "../../show/group.ts";
import type { World } from "../../world.ts";
import { apiOf, countOption, leaf, must, print } from "../leaf.ts";

type Options = { mode?: "quorum" | "independent"; spare?: number | null; channel?: string | false };

const withMode = (command: Command): Command =>
  command
    .argument("<group>", "name")
    .addOption(
      new Option("--mode <mode>", "quorum: three voters or more share one").choices([
        "quorum",
        "independent",
      ]),
    )
    .option("--spare <n>", "serving voters to keep beyond the quorum, or `default`", (text) =>
      text === "default" ? null : countOption(text),
    )
    .option("--channel <channel>", "the channel that it follows");

const bodyOf = ({ mode, spare, channel }: Options) => ({
  ...(mode === undefined ? {} : { mode }),
  ...(spare === undefined ? {} : { spare }),
  ...(channel === undefined ? {} : { channel: channel === false ? null : channel }),
});

export const createGroup = (world: World): Command =>
  withMode(leaf("create", "make a group; independent unless told otherwise")).action(
    async (name: string, { channel, ...options }: Options, command: Command) => {
      const api = await apiOf(world, command);
      const body = { name, ...bodyOf(options) };
      let group = must(await api.call({ method: "POST", path: path("v1", "groups"), body, answer: Group }));
      if (channel !== undefined) {
        const where = path("v1", "groups", name);
        group = must(await api.call({ method: "PATCH", path: where, body: { channel }, answer: Group }));
      }
      print(world, command, group, groupFacts(group, world.now()));
    },
  );

export const editGroup = (world: World): Command =>
  withMode(leaf("edit", "change a group's mode, its spare or the channel that it follows"))
    .option("--no-channel", "it follows none any more")
    .action(async (name: string, options: Options, command: Command) => {
      const api = await apiOf(world, command);
      const where = path("v1", "groups", name);
      const request = { method: "PATCH", path: where, body: bodyOf(options) } as const;
      const group = must(await api.call({ ...request, answer: Group }));
      print(world, command, group, groupFacts(group, world.now()));
    });

export const removeGroup = (world: World): Command =>
  leaf("remove", "remove a group that has no nodes; its join tokens are revoked")
    .argument("<group>", "name")
    .action(async (name: string, _: object, command: Command) => {
      const api = await apiOf(world, command);
      const where = path("v1", "groups", name);
      const group = must(await api.call({ method: "DELETE", path: where, answer: Group }));
      print(world, command, group, `The group ${group.name} is removed.`);
    });
