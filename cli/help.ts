/** How the help of every command reads. */
import { type Command, Help, Option } from "commander";
import type { World } from "./world.ts";

/** Options that all commands share; they come last. */
export const EVERYWHERE = "Everywhere:";

const COORDINATOR = {
  "--context <name>": "the coordinator, by its name (baton context list)",
  "--url <address>": "the coordinator, by its address",
} as const;

/** An option that says which coordinator is meant. */
export const coordinatorOption = (flags: keyof typeof COORDINATOR): Option =>
  new Option(flags, COORDINATOR[flags]).helpGroup(EVERYWHERE);

export function withHelp(world: World, command: Command): Command {
  const { colors } = world;
  if (command.parent !== null) command.helpCommand(false);
  return command
    .addHelpOption(new Option("-h, --help", "show this").helpGroup(EVERYWHERE))
    .configureHelp({
      commandDescription: (each) => sentence(each.description()),
      styleTitle: (title) => colors.bold(title),
      groupItems<T extends Command | Option>(
        this: Help,
        unsorted: T[],
        visible: T[],
        getGroup: (item: T) => string,
      ): Map<string, T[]> {
        const groups = Help.prototype.groupItems.call(this, unsorted, visible, getGroup as never) as Map<
          string,
          T[]
        >;
        const last = groups.get(EVERYWHERE);
        groups.delete(EVERYWHERE);
        if (last !== undefined) groups.set(EVERYWHERE, last);
        return groups;
      },
    })
    .configureOutput({
      writeOut: (text) => world.out.write(text),
      writeErr: (text) => world.err.write(text),
      outputError: (text, write) => write(text),
      getOutHasColors: () => colors.isColorSupported,
      getErrHasColors: () => colors.isColorSupported,
      getOutHelpWidth: () => world.out.columns ?? HELP_WIDTH,
      getErrHelpWidth: () => world.err.columns ?? HELP_WIDTH,
    });
}

const HELP_WIDTH = 100;

/** In a list a description is a phrase; at the top of a page it is a sentence. */
const sentence = (text: string): string =>
  text === "" || text.endsWith(".") ? text : `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
