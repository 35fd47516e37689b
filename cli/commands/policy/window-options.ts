/** The options that say when nodes may be disrupted, for the fleet and for a group alike. */
import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import type { Window } from "../../../protocol/policy.ts";
import { FaultError } from "../../../protocol/result.ts";
import { span } from "../../show/time.ts";
import { spanOption } from "../leaf.ts";

export type WindowOptions = {
  add?: string;
  for?: number;
  timezone?: string;
  remove?: number;
  clear?: true;
};

export const withWindows = (command: Command): Command =>
  command
    .option("--add <cron>", 'open another one at these times, such as "0 2 * * 6" (Saturdays at two)')
    .option("--for <time>", "with --add: how long it is open, such as 4h", spanOption)
    .option("--timezone <zone>", "with --add: the zone of the times, such as Europe/Berlin (default: UTC)")
    .option("--remove <n>", "take one away, by its number", numberOption)
    .option("--clear", "take all away: always open");

/** The windows as they are to be; null when they were only asked for. Throws `FaultError` `usage`. */
export function windowsAfter(before: readonly Window[], options: WindowOptions): Window[] | null {
  const { add, for: durationMs, timezone = "UTC", remove, clear } = options;
  if ([add, remove, clear].filter((each) => each !== undefined).length > 1) {
    throw usage("Say one of --add, --remove and --clear at a time.");
  }
  if (clear === true) return [];
  if (remove !== undefined) {
    if (remove > before.length) throw usage(`There is no window ${remove}; there are ${before.length}.`);
    return before.filter((_, index) => index !== remove - 1);
  }
  if (add === undefined) return null;
  if (durationMs === undefined) throw usage("Say with --for how long the window is open, such as --for 4h.");
  return [...before, { cron: add, timezone, durationMs }];
}

const usage = (message: string): FaultError =>
  new FaultError({ code: "usage", message, hint: "Nothing was changed." });

function numberOption(text: string): number {
  if (!/^[1-9]\d?$/.test(text)) throw new InvalidArgumentError("It is a number of the list, from 1.");
  return Number(text);
}

export const windowLines = (windows: readonly Window[]): readonly string[] =>
  windows.map(
    ({ cron, timezone, durationMs }, index) => `${index + 1}. ${cron} (${timezone}) for ${span(durationMs)}`,
  );
