import { PassThrough } from "node:stream";
import type { Command } from "commander";
import pc from "picocolors";
import { expect, test } from "vitest";
import { pathOf } from "../../cli/commands/leaf.ts";
import { mcpCommand } from "../../cli/mcp/command.ts";
import { createProgram } from "../../cli/program.ts";
import { publishCommand } from "../../cli/publish/command.ts";
import type { World } from "../../cli/world.ts";
import { page, sections } from "./page.ts";

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

const streams = { input: new PassThrough(), output: new PassThrough() };
const serving = [mcpCommand(world, "1.0.0", streams)];
const program = createProgram(world, "1.0.0", [publishCommand(world, null)], serving);

const every = (command: Command): readonly Command[] => [
  command,
  ...(command.commands as readonly Command[]).flatMap((child) => every(child)),
];
const shown = every(program).filter((command) => command.name() !== "__complete");

test("what every command says of itself", async () => {
  const help = sections(shown.map((command) => [pathOf(command), command.helpInformation()]));
  expect(help).toBe(await page("help", help));
});

test("every command, option and argument is described, and in the same way", () => {
  const described = shown.flatMap((command) => [
    [pathOf(command), command.description()],
    ...command.options.map(({ flags, description }) => [`${pathOf(command)} ${flags}`, description]),
    ...command.registeredArguments.map((each) => [`${pathOf(command)} ${each.name()}`, each.description]),
  ]);
  const wrong = described.filter(([, description]) => !/^[a-z0-9`].*[^.]$/.test(description ?? ""));
  expect(wrong.map(([what]) => what)).toEqual(["baton"]);
});
