/** When a group may be updated. */
import type { Command } from "commander";
import { Group } from "../../../protocol/group.ts";
import { path } from "../../api/client.ts";
import type { World } from "../../world.ts";
import { apiOf, leaf, must, print } from "../leaf.ts";
import { type FreezeOptions, freezeLine, freezeOf, withFreeze } from "../policy/freeze-options.ts";
import { type WindowOptions, windowLines, windowsAfter, withWindows } from "../policy/window-options.ts";

type Options = WindowOptions & { inherit?: true };

export const windowsOfGroup = (world: World): Command =>
  withWindows(leaf("windows", "when updates may begin in this group"))
    .argument("<group>", "name")
    .option("--inherit", "take the fleet's windows again")
    .action(async (name: string, options: Options, command: Command) => {
      const api = await apiOf(world, command);
      const where = path("v1", "groups", name);
      const before = must(await api.tagged({ path: where, answer: Group }));
      const windows = options.inherit === true ? null : windowsAfter(before.value.windows ?? [], options);
      const asked = options.inherit === true || windows !== null;
      const request = { method: "PATCH", path: where, body: { windows }, ifMatch: before.etag } as const;
      const group = asked ? must(await api.call({ ...request, answer: Group })) : before.value;
      const text =
        group.windows === null
          ? "The fleet's windows: baton policy windows"
          : windowLines(group.windows).join("\n") || "Always open.";
      print(world, command, group.windows, text);
    });

export const freezeGroup = (world: World): Command =>
  withFreeze(world, leaf("freeze", "nobody in it begins to be updated until it is lifted"))
    .argument("<group>", "name")
    .action(async (name: string, options: FreezeOptions, command: Command) => {
      const api = await apiOf(world, command);
      const where = path("v1", "groups", name, "freeze");
      const group = must(
        await api.call({ method: "POST", path: where, body: freezeOf(options), answer: Group }),
      );
      print(world, command, group, `${group.name} is ${freezeLine(group.freeze)}`);
    });

export const unfreezeGroup = (world: World): Command =>
  leaf("unfreeze", "lift the group's own freeze; the fleet's stays")
    .argument("<group>", "name")
    .action(async (name: string, _: object, command: Command) => {
      const api = await apiOf(world, command);
      const where = path("v1", "groups", name, "unfreeze");
      const group = must(await api.call({ method: "POST", path: where, answer: Group }));
      print(world, command, group, `${group.name} is not frozen any more.`);
    });
