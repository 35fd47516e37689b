import { type Command, InvalidArgumentError } from "commander";
import type { Freeze, FreezeRequest } from "../../../protocol/policy.ts";
import { parseSpan } from "../../../protocol/span.ts";
import { instant } from "../../show/time.ts";
import type { World } from "../../world.ts";

export type FreezeOptions = { reason: string; until?: number };

export const withFreeze = (world: World, command: Command): Command =>
  command
    .requiredOption("--reason <text>", "why; whoever waits is told")
    .option(
      "--until <when>",
      "it lifts itself then: 4h, 2d or 2026-12-31T06:00Z (default: when it is lifted)",
      (text) => untilOf(world, text),
    );

export const freezeOf = ({ reason, until }: FreezeOptions): FreezeRequest => ({
  reason,
  ...(until === undefined ? {} : { until }),
});

export const freezeLine = (freeze: Freeze | null): string =>
  freeze === null
    ? "not frozen"
    : `frozen by ${freeze.by} since ${instant(freeze.at)}${freeze.until === null ? "" : ` until ${instant(freeze.until)}`}: ${freeze.reason}`;

function untilOf({ now }: World, text: string): number {
  const ahead = parseSpan(text);
  const at = ahead === null ? Date.parse(text) : now() + ahead;
  if (Number.isNaN(at)) throw new InvalidArgumentError("Write it like 4h, 2d or 2026-12-31T06:00Z.");
  return at;
}
