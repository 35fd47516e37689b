import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

const APART = join(import.meta.dirname, "../../agent/cli/apart.ts");

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "baton-apart-"));
});
afterEach(() => rm(dir, { recursive: true }));

/** A program that runs this apart; what it printed and its exit status. */
async function program(run: string): Promise<{ out: string; code: number }> {
  const file = join(dir, "program.mjs");
  await writeFile(
    file,
    `import { open } from "node:fs";
     import { runApart } from ${JSON.stringify(APART)};
     process.exitCode = await runApart(process.argv.slice(2), async () => { ${run} });`,
  );
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [file, "argument"], (_error, out) => {
      resolve({ out, code: child.exitCode ?? -1 });
    });
  });
}

it("ends with the status although something never answers, and prints all", async () => {
  execFileSync("mkfifo", [join(dir, "fifo")]);
  const ran = await program(
    `open(${JSON.stringify(join(dir, "fifo"))}, "r", () => undefined);
     process.stdout.write("x".repeat(100_000) + process.argv[2] + "\\n");
     return 1;`,
  );
  expect(ran).toEqual({ out: `${"x".repeat(100_000)}argument\n`, code: 1 });
});

it("ends with the status of what ended by itself", async () => {
  expect(await program("process.exit(7);")).toEqual({ out: "", code: 7 });
  expect(await program('process.kill(process.pid, "SIGKILL"); return 0;')).toMatchObject({ code: 1 });
});
