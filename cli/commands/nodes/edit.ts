import type { Command } from "commander";
import { type EditNodeRequest, Node } from "../../../protocol/node.ts";
import { FaultError } from "../../../protocol/result.ts";
import { path } from "../../api/client.ts";
import { findNode } from "../../api/find-node.ts";
import { nodeFacts } from "../../show/node.ts";
import { facts } from "../../show/table.ts";
import type { World } from "../../world.ts";
import { apiOf, labelOption, leaf, must, print, several } from "../leaf.ts";

type Options = { group?: string; voter?: boolean; label?: Record<string, string>; unlabel?: string[] };

export const editNode = (world: World): Command =>
  leaf("edit", "move a node to another group, change its vote or its labels")
    .argument("<node>", "name or id")
    .option("--group <group>", "move it there")
    .option("--voter", "it has a vote in its group's quorum")
    .option("--no-voter", "it has none")
    .option("--label <key=value>", "set a label; may be given several times", labelOption)
    .option("--unlabel <key>", "take a label away; may be given several times", several)
    .action(async (named: string, options: Options, command: Command) => {
      const api = await apiOf(world, command);
      const { id } = must(await findNode(api, named));
      const where = path("v1", "nodes", id);
      // The labels are changed as they are read here: somebody else's change in between must not be lost.
      const before = must(await api.tagged({ path: where, answer: Node }));
      const body = changeOf(before.value, options);
      const node = must(
        await api.call({ method: "PATCH", path: where, body, ifMatch: before.etag, answer: Node }),
      );
      print(world, command, node, facts(nodeFacts(node)));
    });

function changeOf({ labels }: Node, { group, voter, label, unlabel = [] }: Options): EditNodeRequest {
  const kept = Object.entries({ ...labels, ...label }).filter(([key]) => !unlabel.includes(key));
  const change: EditNodeRequest = {
    ...(group === undefined ? {} : { group }),
    ...(voter === undefined ? {} : { voter }),
    ...(label === undefined && unlabel.length === 0 ? {} : { labels: Object.fromEntries(kept) }),
  };
  if (Object.keys(change).length > 0) return change;
  throw new FaultError({
    code: "usage",
    message: "Nothing is to be changed.",
    hint: "Say --group, --voter, --no-voter, --label or --unlabel.",
  });
}
