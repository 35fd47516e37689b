/** What every command that speaks to the coordinator shares: its options, its answer, its refusals. */
import { Command, InvalidArgumentError, Option } from "commander";
import { nearest } from "../../protocol/nearest.ts";
import { type Fault, FaultError, type Result } from "../../protocol/result.ts";
import { parseSpan } from "../../protocol/span.ts";
import type { ApiClient } from "../api/client.ts";
import { coordinatorOption, EVERYWHERE } from "../help.ts";
import type { World } from "../world.ts";

export type Shared = { readonly url?: string; readonly context?: string; readonly json?: true };

/** A command with `--json`, which speaks to nobody. */
export const plainLeaf = (name: string, description: string): Command =>
  new Command(name)
    .description(description)
    .addOption(new Option("--json", "print JSON").helpGroup(EVERYWHERE));

/** A command with `--json`, `--context` and `--url`. */
export const leaf = (name: string, description: string): Command =>
  plainLeaf(name, description)
    .addOption(coordinatorOption("--context <name>"))
    .addOption(coordinatorOption("--url <address>"));

/** A command that only holds others; `usual` is run when none is named. */
export function branch(
  name: string,
  description: string,
  children: readonly Command[],
  usual = "list",
): Command {
  const parent = new Command(name).description(description);
  for (const child of children) parent.addCommand(child, { isDefault: child.name() === usual });
  // With a default, a mistyped name would be an argument too many of that one.
  return parent.hook("preSubcommand", (self, child) => {
    const [first] = self.args;
    if (first === undefined || first.startsWith("-") || first === child.name()) return;
    if (child.aliases().includes(first) || first === "help") return;
    throw new FaultError(unknownCommand(self, first));
  });
}

/** There is no such command, and which one was most likely meant. */
export function unknownCommand(parent: Command, typed: string): Fault<"usage"> {
  const names = parent
    .createHelp()
    .visibleCommands(parent)
    .map((each) => each.name());
  const meant = nearest(typed, names);
  const path = pathOf(parent);
  return {
    code: "usage",
    message: `There is no command ${path} ${typed}.${meant === null ? "" : ` Did you mean ${path} ${meant}?`}`,
    hint: `There is: ${names.filter((each) => each !== "help").join(", ")}.`,
  };
}

/** "baton rollout": how a command is called. */
export const pathOf = (command: Command): string =>
  command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;

/** The result on standard output: `value` as JSON when asked for, else `text`. */
export function print(world: World, command: Command, value: unknown, text: string): void {
  world.out.write(`${wantsJson(command) ? JSON.stringify(value) : text}\n`);
}

export const wantsJson = (command: Command): boolean => command.optsWithGlobals<Shared>().json === true;

export const apiOf = (world: World, command: Command): Promise<ApiClient> => {
  const { url, context } = command.optsWithGlobals<Shared>();
  return world.api({ url, context });
};

/** The value, or the failure for the one place that prints failures. */
export function must<T>(result: Result<T, Fault>): T {
  if (!result.ok) throw new FaultError(result.error);
  return result.value;
}

/** A command with `--yes`. */
export const withYes = (command: Command): Command => command.option("--yes", "do not ask");

export const spanOption = (text: string): number => {
  const ms = parseSpan(text);
  if (ms === null) throw new InvalidArgumentError("Write it like 90s, 15m, 12h or 30d.");
  return ms;
};

/** "90" and "90s" are 90. */
export const secondsOption = (text: string): number => {
  const ms = /^\d{1,6}$/.test(text) ? Number(text) * 1000 : parseSpan(text);
  if (ms === null) throw new InvalidArgumentError("Write it like 90 (seconds), 90s, 15m or 12h.");
  return ms / 1000;
};

export const countOption = (text: string): number => {
  const count = Number(text);
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("It is a whole number.");
  return count;
};

/** For an option that may be given several times. */
export const several = (text: string, before: readonly string[] = []): string[] => [...before, text];

/** An option that may be given several times, each time with one of `choices`. */
export function someOf(option: Option, choices: readonly string[]): Option {
  option.choices(choices);
  return option.argParser((text, before: readonly string[] | undefined) => {
    if (choices.includes(text)) return [...(before ?? []), text];
    throw new InvalidArgumentError(`Allowed choices are ${choices.join(", ")}.`);
  });
}

/** `k=v`, given several times. */
export function labelOption(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("Write it like rack=r3.");
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
