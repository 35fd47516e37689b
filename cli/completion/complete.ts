/**
 * What may stand where the cursor is, by commander's own tree: nothing is written down twice. Pure; names that only
 * the coordinator knows are asked for by the caller. See ADR 0084.
 */
import type { Command, Option } from "commander";
import { type Kind, kindOfArgument, kindOfOption } from "./kinds.ts";

export type Candidate = { readonly value: string; readonly description: string };

export type Completion = {
  /** What is known without asking. */
  readonly candidates: readonly Candidate[];
  /** What else fits. */
  readonly kind: Kind;
  /** What is before the value that is completed, as `--group=` is. */
  readonly prefix: string;
  /** What the command line says of the coordinator. */
  readonly target: { readonly url?: string; readonly context?: string };
};

const NOTHING: Kind = { kind: "nothing" };

/** `words` are those after `baton`; the last is the one at the cursor, and may be empty. */
export function complete(program: Command, words: readonly string[]): Completion {
  const current = words.at(-1) ?? "";
  const at = walk(program, words.slice(0, -1));
  const answer = (kind: Kind, candidates: readonly Candidate[] = [], prefix = ""): Completion => ({
    kind,
    candidates,
    prefix,
    target: at.target,
  });
  if (at.awaits !== null) return answer(kindOfOption(at.awaits));
  if (!at.plain && current.startsWith("-")) {
    const equals = current.indexOf("=");
    if (equals === -1) return answer(NOTHING, optionsOf(at.command));
    const option = find(at.command, current.slice(0, equals));
    return answer(option === undefined ? NOTHING : kindOfOption(option), [], current.slice(0, equals + 1));
  }
  // A command that is not there has nothing behind it.
  if (at.operands > 0 && at.command.commands.length > 0) return answer(NOTHING);
  const commands = at.operands > 0 || at.plain ? [] : commandsOf(at.command);
  const { registeredArguments } = at.command;
  const argument =
    registeredArguments[at.operands] ?? registeredArguments.filter((each) => each.variadic).at(-1);
  const kind = argument === undefined ? NOTHING : kindOfArgument(argument);
  // Where nothing else can stand, the options are what a person may be looking for.
  return answer(
    kind,
    commands.length === 0 && kind.kind === "nothing" && current === "" ? optionsOf(at.command) : commands,
  );
}

type Place = {
  command: Command;
  operands: number;
  /** The option whose value comes next. */
  awaits: Option | null;
  /** After `--` nothing is an option. */
  plain: boolean;
  target: { url?: string; context?: string };
};

/** Where the words before the cursor lead. */
function walk(program: Command, words: readonly string[]): Place {
  const place: Place = { command: program, operands: 0, awaits: null, plain: false, target: {} };
  for (const word of words) {
    if (place.awaits !== null) {
      note(place, place.awaits, word);
      place.awaits = null;
    } else if (!place.plain && word === "--") place.plain = true;
    else if (!place.plain && word.startsWith("-") && word !== "-") option(place, word);
    else operand(place, word);
  }
  return place;
}

function option(place: Place, word: string): void {
  const [name = "", ...value] = word.split("=");
  const found = find(place.command, name);
  if (found === undefined || !(found.required || found.optional)) return;
  if (value.length === 0) place.awaits = found.required ? found : null;
  else note(place, found, value.join("="));
}

function note({ target }: Place, { long }: Option, value: string): void {
  if (long === "--url") target.url = value;
  if (long === "--context") target.context = value;
}

function operand(place: Place, word: string): void {
  const child = place.operands === 0 && !place.plain ? childOf(place.command, word) : undefined;
  if (child === undefined) place.operands++;
  else place.command = child;
}

const childOf = (command: Command, name: string): Command | undefined =>
  (command.commands as readonly Command[]).find(
    (child) => child.name() === name || child.aliases().includes(name),
  );

/** `baton nodes --group db` is `baton nodes list --group db`. */
const usualOf = (command: Command): Command | undefined =>
  childOf(command, "list") ?? childOf(command, "show");

const find = (command: Command, name: string): Option | undefined =>
  [command, usualOf(command)]
    .flatMap((each) => each?.options ?? [])
    .find((each) => each.long === name || each.short === name);

function optionsOf(command: Command): readonly Candidate[] {
  const own = command.createHelp().visibleOptions(command);
  const usual = command.commands.length === 0 ? undefined : usualOf(command);
  const all = usual === undefined ? own : [...own, ...usual.options];
  const seen = new Map(all.map(({ long, short, description }) => [long ?? short ?? "", description]));
  return [...seen].map(([value, description]) => ({ value, description }));
}

const commandsOf = (command: Command): readonly Candidate[] =>
  command
    .createHelp()
    .visibleCommands(command)
    .map((child) => ({ value: child.name(), description: child.description() }));
