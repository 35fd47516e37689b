import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { shells } from "./node-tree.ts";

const folder = fileURLToPath(new URL("../../packaging/guard/", import.meta.url));
const programs = readdirSync(folder).map((name) => ({ name, program: join(folder, name) }));
const path = (process.env.PATH ?? "").split(delimiter);
const shellcheck = path.map((dir) => join(dir, "shellcheck")).find((file) => existsSync(file));

/**
 * shellcheck is a program of the machine, not of npm. Where it is not installed, the parsers of dash and of bash in
 * POSIX mode are all that is asked, and the name of the test says so; `.ci/run` installs it.
 */
const check =
  shellcheck === undefined
    ? { what: "dash and bash parse it (shellcheck is not installed here)", command: ["dash", "-n"] }
    : { what: "shellcheck finds nothing", command: [shellcheck, "--shell=sh", "--severity=style"] };

describe.each(programs)("$name", ({ program }) => {
  test("is a program of the machine's own POSIX shell", () => {
    expect(readFileSync(program, "utf8")).toMatch(/^#!\/bin\/sh\n# agent-(guard|launch): /);
  });

  test.each(shells.map((shell) => ({ shell })))("$shell parses it", ({ shell: [command, ...flags] }) => {
    expect(output([command, ...flags, "-n", program])).toBe("");
  });

  test(`${check.what}`, () => {
    expect(output([...check.command, program])).toBe("");
  });

  test("never reads a file or an answer as shell code", () => {
    const code = readFileSync(program, "utf8").replaceAll(/^\s*#.*$/gm, "");
    expect(code).not.toMatch(/(^|[;&|({]|then|do|else)\s*(eval|source|\.)\s/m);
  });
});

function output([command = "", ...args]: readonly string[]): string {
  const ended = spawnSync(command, args, { encoding: "utf8" });
  return ended.error === undefined && ended.status === 0
    ? ended.stderr
    : `${ended.error?.message ?? ""}${ended.stdout}${ended.stderr}`;
}
