/** What every command that speaks to the coordinator shares: its options, its answer, its refusals. */
import { Command, InvalidArgumentError } from "commander";
import { type Fault, FaultError, type Result } from "../../protocol/result.ts";
import { parseSpan } from "../../protocol/span.ts";
import type { ApiClient } from "../api/client.ts";
import type { World } from "../world.ts";

export type Shared = { readonly url?: string; readonly json?: true };

/** A command with `--url` and `--json`. */
export const leaf = (name: string, description: string): Command =>
  new Command(name)
    .description(description)
    .option("--url <address>", "the coordinator (default: $BATON_URL, else the settings file's)")
    .option("--json", "print JSON");

/** A command that only holds others; `list` is run when none is named. */
export const branch = (name: string, description: string, children: readonly Command[]): Command => {
  const parent = new Command(name).description(description);
  for (const child of children) parent.addCommand(child, { isDefault: child.name() === "list" });
  return parent;
};

/** The result on standard output: `value` as JSON when asked for, else `text`. */
export function print(world: World, command: Command, value: unknown, text: string): void {
  world.out.write(`${wantsJson(command) ? JSON.stringify(value) : text}\n`);
}

export const wantsJson = (command: Command): boolean => command.optsWithGlobals<Shared>().json === true;

export const apiOf = (world: World, command: Command): Promise<ApiClient> =>
  world.api({ url: command.optsWithGlobals<Shared>().url });

/** The value, or the failure for the one place that prints failures. */
export function must<T>(result: Result<T, Fault>): T {
  if (!result.ok) throw new FaultError(result.error);
  return result.value;
}

/**
 * Asks before something that is hard to undo. `--yes` answers it; where nobody can be asked it must be given.
 * Throws `FaultError` `usage` or `interrupted`.
 */
export async function sure(world: World, yes: true | undefined, question: string): Promise<void> {
  if (yes === true) return;
  if (world.confirm === null) {
    throw new FaultError({
      code: "usage",
      message: `${question} Nobody can be asked here, and nothing was done.`,
      hint: "Say --yes if that is what you want.",
    });
  }
  if (!(await world.confirm(question))) {
    throw new FaultError({ code: "interrupted", message: "Nothing was done." });
  }
}

export const spanOption = (text: string): number => {
  const ms = parseSpan(text);
  if (ms === null) throw new InvalidArgumentError("Write it like 90s, 15m, 12h or 30d.");
  return ms;
};

export const countOption = (text: string): number => {
  const count = Number(text);
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("It is a whole number.");
  return count;
};
