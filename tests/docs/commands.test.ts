import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { batonProgram, childrenOf, wrongCall } from "./baton-commands.ts";
import { codeSpans, ROOT, readPages } from "./pages.ts";

const MAN = join(ROOT, "packaging/debian/man/baton.1");
const program = batonProgram();

/** Lines of fenced blocks that call `baton`, and code spans that do. */
const callsIn = (text: string): readonly string[] =>
  [
    ...[...text.matchAll(/^ *```[^\n]*\n([\s\S]*?)^ *```/gm)].flatMap((block) =>
      (block[1] ?? "").split("\n"),
    ),
    ...codeSpans(text),
  ]
    .flatMap((line) => line.split(/ && |; |\| /))
    .map((line) => line.trim())
    .filter((line) => /^baton [a-z-]/.test(line));

describe("the pages", () => {
  it("call only commands and options of baton that there are", async () => {
    const wrong = (await readPages()).flatMap(({ path, text }) =>
      callsIn(text).flatMap((call) => {
        const why = wrongCall(program, call);
        return why === null ? [] : [`${path}: ${call}: ${why}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it("would notice one that there is not", () => {
    expect(wrongCall(program, "baton rollout start --group db --watch  # go")).toBeNull();
    expect(wrongCall(program, "baton nodes --outdated")).toBeNull();
    expect(wrongCall(program, "baton rolout start")).toBe("there is no rolout");
    expect(wrongCall(program, "baton rollout start --force")).toBe("start has no --force");
    expect(callsIn("Say `baton nodes`.\n```\nbaton keys init && baton keys sign X\n```\n")).toHaveLength(3);
  });
});

describe("man baton", () => {
  it("lists every command, as its help describes it (REWRITE=1 writes them anew)", async () => {
    const page = await readFile(MAN, "utf8");
    const current = page.replace(/(\.SH COMMANDS\n)[\s\S]*?(?=\.SH ENVIRONMENT)/, `$1${manOf(program)}`);
    if (process.env.REWRITE === "1") await writeFile(MAN, current);
    expect(await readFile(MAN, "utf8")).toBe(current);
  });
});

function manOf(root: Command): string {
  const lines: string[] = [];
  let section = "";
  const show = (command: Command, path: string): void => {
    const children = childrenOf(command);
    for (const child of children) show(child, `${path} ${child.name()}`);
    if (children.length > 0) return;
    const words = command.registeredArguments.map((argument) => {
      const word = `\\fI${roff(argument.name()).toUpperCase()}\\fR${argument.variadic ? " ..." : ""}`;
      return argument.required ? word : `[${word}]`;
    });
    lines.push(
      ".TP",
      [`\\fB${roff(path)}\\fR`, ...words].join(" "),
      `${roff(sentence(command.description()))}.`,
    );
  };
  for (const command of childrenOf(root)) {
    const group = command.helpGroup().replace(":", "");
    if (group !== section) lines.push(`.SS ${group}`);
    section = group;
    show(command, command.name());
  }
  return `${lines.join("\n")}\n`;
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

const roff = (text: string): string =>
  text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/`([^`]*)`/g, "\\fB$1\\fR");
