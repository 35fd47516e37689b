import type { Command } from "commander";
import pc from "picocolors";
import { expect, test } from "vitest";
import { pathOf } from "../../cli/commands/leaf.ts";
import { createProgram } from "../../cli/program.ts";
import { publishCommand } from "../../cli/publish/command.ts";
import type { World } from "../../cli/world.ts";
import { expectPage, sections } from "./page.ts";

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

const program = createProgram(world, "1.0.0", [publishCommand(world, null)]);

const every = (command: Command): readonly Command[] => [
  command,
  ...(command.commands as readonly Command[]).flatMap((child) => every(child)),
];
const shown = every(program).filter((command) => command.name() !== "__complete");

test("what every command says of itself", async () => {
  await expectPage("help", sections(shown.map((command) => [pathOf(command), command.helpInformation()])));
});

test("every command, option and argument is described, and in the same way", () => {
  for (const command of shown) {
    expect(command.description(), pathOf(command)).not.toBe("");
    for (const { flags, description } of command.options) {
      expect(description, `${pathOf(command)} ${flags}`).toMatch(/^[^A-Z].*[^.]$|^[a-z]/);
    }
    for (const argument of command.registeredArguments) {
      expect(argument.description, `${pathOf(command)} ${argument.name()}`).not.toBe("");
    }
  }
});
