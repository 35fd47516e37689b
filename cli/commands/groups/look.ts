import type { Command } from "commander";
import { Group } from "../../../protocol/group.ts";
import { path } from "../../api/client.ts";
import { everything } from "../../api/everything.ts";
import { groupFacts } from "../../show/group.ts";
import { leaseLine } from "../../show/lease.ts";
import { table } from "../../show/table.ts";
import type { World } from "../../world.ts";
import { apiOf, leaf, must, print } from "../leaf.ts";

export const listGroups = (world: World): Command =>
  leaf("list", "all groups").action(async (_: object, command: Command) => {
    const groups = must(await everything(await apiOf(world, command), ["v1", "groups"], "groups", Group));
    const rows = groups.map((group) => [
      group.name,
      group.mode,
      String(group.nodes),
      group.channel ?? "-",
      group.desired ?? "-",
      group.mode === "quorum"
        ? `${group.lease.serving}/${group.lease.voters} (quorum ${group.lease.quorum})`
        : "-",
      group.gate === null ? leaseLine(group.lease, world.now()) : world.colors.yellow(group.gate.message),
    ]);
    const heading = ["NAME", "MODE", "NODES", "CHANNEL", "DESIRED", "SERVING", "LEASE"];
    print(world, command, groups, groups.length === 0 ? "No groups." : table(heading, rows));
  });

export const showGroup = (world: World): Command =>
  leaf("show", "one group with its lease, and when it may be updated")
    .argument("<group>", "name")
    .action(async (name: string, _: object, command: Command) => {
      const api = await apiOf(world, command);
      const group = must(await api.call({ path: path("v1", "groups", name), answer: Group }));
      print(world, command, group, groupFacts(group, world.now()));
    });
