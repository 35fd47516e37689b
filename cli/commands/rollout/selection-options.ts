/** The options that say which nodes are meant. */
import { type Command, Option } from "commander";
import { FaultError } from "../../../protocol/result.ts";
import type { Selection } from "../../../protocol/rollout.ts";
import { labelOption, several } from "../leaf.ts";

export type SelectionOptions = {
  all?: true;
  group?: string[];
  node?: string[];
  label?: Record<string, string>;
  channel?: string;
};

const GROUP = "Which nodes (those that fit everything that is said):";

export function withSelection(command: Command): Command {
  const options = [
    new Option("--group <group>", "of this group, or of these: may be given several times").argParser(
      several,
    ),
    new Option("--node <node>", "this node, by name or id: may be given several times").argParser(several),
    new Option("--label <key=value>", "with this label: may be given several times").argParser(labelOption),
    new Option("--channel <channel>", "of groups that follow this channel"),
    new Option("--all", "every approved node"),
  ];
  for (const option of options) command.addOption(option.helpGroup(GROUP));
  return command;
}

/** Null when nothing was said. */
export function selectionOf({ all, group, node, label, channel }: SelectionOptions): Selection | null {
  const selection: Selection = {
    ...(all === undefined ? {} : { all }),
    ...(group === undefined ? {} : { groups: group }),
    ...(node === undefined ? {} : { nodes: node }),
    ...(label === undefined ? {} : { labels: label }),
    ...(channel === undefined ? {} : { channel }),
  };
  return Object.keys(selection).length === 0 ? null : selection;
}

/** Throws `FaultError` `usage` when nothing was said: everybody has to be meant in so many words. */
export function mustSelect(options: SelectionOptions): Selection {
  const selection = selectionOf(options);
  if (selection !== null) return selection;
  throw new FaultError({
    code: "usage",
    message: "It was not said which nodes are meant.",
    hint: "Say --group, --node, --label, --channel, or --all for every node.",
  });
}
