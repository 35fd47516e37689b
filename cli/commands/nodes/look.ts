import type { Command } from "commander";
import { Node } from "../../../protocol/node.ts";
import { everything } from "../../api/everything.ts";
import { findNode } from "../../api/find-node.ts";
import { NODE_HEADING, nodeFacts, nodeRow } from "../../show/node.ts";
import { facts, table } from "../../show/table.ts";
import type { World } from "../../world.ts";
import { apiOf, labelOption, leaf, must, print } from "../leaf.ts";

type Filter = { group?: string; label?: Record<string, string>; outdated?: true; offline?: true };

export const listNodes = (world: World): Command =>
  leaf("list", "all nodes, or those that fit every filter")
    .option("--group <group>", "only of this group")
    .option("--label <key=value>", "only with this label; may be given several times", labelOption)
    .option("--outdated", "only those that run another build than the one desired")
    .option("--offline", "only those that are not heard from")
    .action(async (filter: Filter, command: Command) => {
      const api = await apiOf(world, command);
      const all = must(await everything(api, ["v1", "nodes"], "nodes", Node, { group: filter.group }));
      const nodes = all.filter((node) => fits(node, filter));
      const rows = nodes.map((node) => nodeRow(world.colors, world.now(), node));
      print(
        world,
        command,
        nodes,
        nodes.length === 0 ? none(all.length) : `${table(NODE_HEADING, rows)}${behind(nodes)}`,
      );
    });

const fits = (node: Node, { label = {}, outdated, offline }: Filter): boolean =>
  Object.entries(label).every(([key, value]) => node.labels[key] === value) &&
  (outdated !== true || node.behind) &&
  (offline !== true || node.presence === "offline");

const none = (all: number): string => (all === 0 ? "No nodes." : `None of the ${all} nodes fits.`);

function behind(nodes: readonly Node[]): string {
  const count = nodes.filter((node) => node.behind).length;
  return count === 0 ? "" : `\n\n${count} of ${nodes.length} nodes behind.`;
}

export const showNode = (world: World): Command =>
  leaf("show", "one node: what is configured, and what was heard last")
    .argument("<node>", "name or id")
    .action(async (named: string, _: object, command: Command) => {
      const node = must(await findNode(await apiOf(world, command), named));
      print(world, command, node, facts(nodeFacts(node)));
    });
