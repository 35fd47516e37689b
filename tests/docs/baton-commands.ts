/** All commands of `baton`, as the pages may name them. */
import { PassThrough } from "node:stream";
import type { Command } from "commander";
import pc from "picocolors";
import { bundleCommand, realBundleWorld } from "../../cli/bundle/command.ts";
import { keysCommand } from "../../cli/keys/command.ts";
import { mcpCommand } from "../../cli/mcp/command.ts";
import { createProgram } from "../../cli/program.ts";
import { exportCommand, publishCommand } from "../../cli/publish/command.ts";
import type { World } from "../../cli/world.ts";

const nowhere = {
  write: () => undefined,
  isTerminal: false,
  columns: null,
  rows: null,
  onResize: () => () => undefined,
};

const world: World = {
  env: {},
  out: nowhere,
  err: nowhere,
  colors: pc.createColors(false),
  now: () => 0,
  sleep: async () => undefined,
  interrupted: new AbortController().signal,
  ask: null,
  readInput: async () => "",
  api: () => Promise.reject(new Error("nobody is asked for help")),
};

/** Never run; to be looked at. */
export const batonProgram = (): Command =>
  createProgram(
    world,
    "1.0.0",
    [
      keysCommand(),
      bundleCommand(realBundleWorld(import.meta.dirname)),
      publishCommand(world, null),
      exportCommand(world),
    ],
    [mcpCommand(world, "1.0.0", { input: new PassThrough(), output: new PassThrough() })],
  );

export const childrenOf = (command: Command): readonly Command[] =>
  (command.commands as readonly Command[]).filter((child) => child.name() !== "__complete");

/**
 * What is wrong with a line that calls `baton`, as a page writes it; null when nothing is. Placeholders in capitals
 * stand for any word, and what a shell would read for itself (`>`, `|`, `#`) ends the line.
 */
export function wrongCall(program: Command, line: string): string | null {
  const words = line
    .replace(/\s+[#>|&…].*$/, "")
    .split(/\s+/)
    .slice(1);
  let command = program;
  let operands = 0;
  let isValue = false;
  for (const word of words) {
    if (isValue) {
      isValue = false;
      continue;
    }
    if (word.startsWith("--")) {
      const name = word.replace(/[=,.:]+.*$/, "");
      const usual = childrenOf(command).find((child) => ["list", "show"].includes(child.name()));
      const known = [program, command, ...(usual === undefined ? [] : [usual])].flatMap(
        (each) => each.options,
      );
      const option = known.find(({ long }) => long === name);
      if (option === undefined && name !== "--help") return `${command.name()} has no ${name}`;
      isValue = option?.required === true && !word.includes("=");
      continue;
    }
    if (operands > 0 || childrenOf(command).length === 0) continue;
    const child = childrenOf(command).find((each) => each.name() === word);
    if (child !== undefined) command = child;
    else if (command === program) return `there is no ${word}`;
    else operands++;
  }
  return null;
}
