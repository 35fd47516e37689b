import type { Command } from "commander";
import { JobStarted, Node } from "../../protocol/node.ts";
import type { ApiClient } from "../api/client.ts";
import { path } from "../api/client.ts";
import { everything } from "../api/everything.ts";
import { findNode } from "../api/find-node.ts";
import { NODE_HEADING, nodeFacts, nodeRow } from "../show/node.ts";
import { facts, table } from "../show/table.ts";
import type { World } from "../world.ts";
import { followJob } from "./follow-job.ts";
import { apiOf, branch, countOption, leaf, must, print, sure, wantsJson } from "./leaf.ts";

/** `baton nodes`: the machines, by name or id. */
export const nodesCommand = (world: World): Command =>
  branch("nodes", "the machines that are kept up to date", [
    list(world),
    show(world),
    simple(world, "approve", "let a pending node in", (node) => `${node.name} is approved.`),
    simple(
      world,
      "revoke",
      "take a node's credential away",
      (node) => `The credential of ${node.name} is revoked.`,
    ),
    remove(world),
    work(world, "update", "bring one node to its desired release"),
    work(world, "rollback", "bring one node back to the build it ran before, and hold it there"),
  ]);

const list = (world: World): Command =>
  leaf("list", "all nodes, or those of a group")
    .option("--group <name>", "only of this group")
    .action(async ({ group }: { group?: string }, command: Command) => {
      const api = await apiOf(world, command);
      const nodes = must(await everything(api, ["v1", "nodes"], "nodes", Node, { group }));
      const rows = nodes.map((node) => nodeRow(world.colors, world.now(), node));
      const behind = nodes.filter((node) => node.behind).length;
      const summary = behind === 0 ? "" : `\n\n${behind} of ${nodes.length} nodes behind.`;
      print(world, command, nodes, nodes.length === 0 ? "No nodes." : table(NODE_HEADING, rows) + summary);
    });

const show = (world: World): Command =>
  leaf("show", "one node: what is configured, and what was heard last")
    .argument("<node>", "name or id")
    .action(async (named: string, _: object, command: Command) => {
      const node = must(await findNode(await apiOf(world, command), named));
      print(world, command, node, facts(nodeFacts(node)));
    });

const simple = (
  world: World,
  action: "approve" | "revoke",
  description: string,
  done: (node: Node) => string,
): Command =>
  leaf(action, description)
    .argument("<node>", "name or id")
    .action(async (named: string, _: object, command: Command) => {
      const api = await apiOf(world, command);
      const { id } = must(await findNode(api, named));
      const node = must(
        await api.call({ method: "POST", path: path("v1", "nodes", id, action), answer: Node }),
      );
      print(world, command, node, done(node));
    });

const remove = (world: World): Command =>
  leaf("remove", "remove a node for good; its group gets a smaller quorum")
    .argument("<node>", "name or id")
    .option("--yes", "do not ask")
    .action(async (named: string, { yes }: { yes?: true }, command: Command) => {
      const api = await apiOf(world, command);
      const node = must(await findNode(api, named));
      const vote = node.voter
        ? ` It is a voter: the quorum of ${node.group} is counted without it from then on.`
        : "";
      await sure(world, yes, `Remove ${node.name} (${node.id}) from ${node.group}?${vote}`);
      const removed = must(
        await api.call({ method: "DELETE", path: path("v1", "nodes", node.id), answer: Node }),
      );
      print(world, command, removed, `${node.name} is removed.`);
    });

type WorkOptions = { retry?: true; wait?: true; timeout?: number };

function work(world: World, kind: "update" | "rollback", description: string): Command {
  const command = leaf(kind, description)
    .argument("<node>", "name or id")
    .option("--wait", "follow the job's log until it ends; exit 3 when it fails")
    .option("--timeout <seconds>", "with --wait: give up waiting and exit 4", countOption);
  if (kind === "update") command.option("--retry", "also if the build is quarantined or the node is held");
  return command.action(async (named: string, options: WorkOptions, self: Command) => {
    const api = await apiOf(world, self);
    const node = must(await findNode(api, named));
    const { jobId } = must(await start(api, node, kind, options.retry));
    if (options.wait === true) {
      await followJob(world, api, jobId, { json: wantsJson(self), timeoutSeconds: options.timeout });
    } else {
      print(
        world,
        self,
        { jobId },
        `${node.name} works on job ${jobId}. Follow it with: baton jobs log ${jobId} --follow`,
      );
    }
  });
}

const start = (api: ApiClient, node: Node, kind: "update" | "rollback", retry: true | undefined) =>
  api.call({
    method: "POST",
    path: path("v1", "nodes", node.id, kind),
    body: retry === true ? { retry } : {},
    answer: JobStarted,
  });
