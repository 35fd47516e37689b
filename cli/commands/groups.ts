import { type Command, Option } from "commander";
import { Group } from "../../protocol/group.ts";
import { path } from "../api/client.ts";
import { everything } from "../api/everything.ts";
import { leaseLine } from "../show/lease.ts";
import { facts, table } from "../show/table.ts";
import type { World } from "../world.ts";
import { apiOf, branch, countOption, leaf, must, print } from "./leaf.ts";

/** `baton groups`: nodes that are updated one at a time. */
export const groupsCommand = (world: World): Command =>
  branch("groups", "nodes that are updated one at a time", [
    list(world),
    show(world),
    change(world, "create", "make a group; independent unless told otherwise"),
    change(world, "edit", "change a group's mode or spare"),
  ]);

const list = (world: World): Command =>
  leaf("list", "all groups").action(async (_: object, command: Command) => {
    const groups = must(await everything(await apiOf(world, command), ["v1", "groups"], "groups", Group));
    const rows = groups.map((group) => [
      group.name,
      group.mode,
      String(group.nodes),
      group.desired ?? "-",
      group.mode === "quorum"
        ? `${group.lease.serving}/${group.lease.voters} (quorum ${group.lease.quorum})`
        : "-",
      leaseLine(group.lease, world.now()),
    ]);
    const heading = ["NAME", "MODE", "NODES", "DESIRED", "SERVING", "LEASE"];
    print(world, command, groups, groups.length === 0 ? "No groups." : table(heading, rows));
  });

const show = (world: World): Command =>
  leaf("show", "one group with its lease")
    .argument("<group>", "name")
    .action(async (name: string, _: object, command: Command) => {
      const api = await apiOf(world, command);
      const group = must(await api.call({ path: path("v1", "groups", name), answer: Group }));
      print(world, command, group, facts(factsOf(group, world.now())));
    });

const factsOf = (group: Group, now: number): readonly (readonly [string, string])[] => [
  ["name", group.name],
  ["mode", group.mode],
  ["nodes", String(group.nodes)],
  ["desired", group.desired ?? "-"],
  ...(group.mode === "quorum" ? quorumFacts(group) : []),
  ["lease", leaseLine(group.lease, now)],
];

const quorumFacts = ({ spare, lease }: Group): readonly (readonly [string, string])[] => [
  ["voters", `${lease.voters}, ${lease.serving} serving`],
  ["quorum", `${lease.quorum} + ${lease.spare} spare${spare === null ? " (default)" : ""}`],
];

type ChangeOptions = { mode?: "quorum" | "independent"; spare?: number | null };

const change = (world: World, kind: "create" | "edit", description: string): Command =>
  leaf(kind, description)
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
    .action(async (name: string, { mode, spare }: ChangeOptions, command: Command) => {
      const api = await apiOf(world, command);
      const body = {
        ...(kind === "create" ? { name } : {}),
        ...(mode === undefined ? {} : { mode }),
        ...(spare === undefined ? {} : { spare }),
      };
      const group = must(
        await api.call(
          kind === "create"
            ? { method: "POST", path: path("v1", "groups"), body, answer: Group }
            : { method: "PATCH", path: path("v1", "groups", name), body, answer: Group },
        ),
      );
      print(world, command, group, facts(factsOf(group, world.now())));
    });
