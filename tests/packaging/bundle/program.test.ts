import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { build } from "../../../packaging/bundle/build.ts";
import { buildProgram } from "../../../packaging/bundle/program.ts";

const run = promisify(execFile);
let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "baton-build-"));
  for (const room of ["agent", "protocol", "packaging/bundle"])
    await mkdir(join(root, room), { recursive: true });
  await writeFile(join(root, "package-lock.json"), "{}");
  await writeFile(join(root, "packaging/bundle/x.ts"), "");
  await writeFile(join(root, "protocol/word.ts"), "export const word: string = 'one';\n");
  await writeFile(join(root, "agent/rare.ts"), "export const rare: string = 'rare';\n");
  await writeFile(
    join(root, "agent/main.ts"),
    `import { word } from "../protocol/word.ts";
console.log(word, process.argv[2] === "rare" ? (await import("./rare.ts")).rare : "");
`,
  );
});
afterEach(() => rm(root, { recursive: true }));

describe("the build", () => {
  it("makes one file, and a part for what is loaded only when it is needed", async () => {
    const [agent] = await build(["agent"], root);
    expect(agent).toMatchObject({ name: "agent", dir: join(root, "build/agent"), fresh: true });
    const files = await readdir(join(root, "build/agent"), { recursive: true });
    expect(files.filter((name) => name.endsWith(".mjs")).length).toBe(2);
    expect((await run(process.execPath, [join(root, "build/agent/agent.mjs"), "rare"])).stdout).toBe(
      "one rare\n",
    );
  });

  it("leaves what is up to date, and sees a changed source, a new one and a lost output", async () => {
    const fresh = async () => (await build(["agent"], root)).map((program) => program.fresh);
    expect(await fresh()).toEqual([true]);
    expect(await fresh()).toEqual([false]);
    await writeFile(join(root, "protocol/word.ts"), "export const word: string = 'two';\n");
    expect(await fresh()).toEqual([true]);
    expect((await run(process.execPath, [join(root, "build/agent/agent.mjs")])).stdout).toBe("two \n");
    await writeFile(join(root, "agent/new.ts"), "");
    expect(await fresh()).toEqual([true]);
    await rm(join(root, "build/agent/agent.mjs"));
    expect(await fresh()).toEqual([true]);
    expect(await fresh()).toEqual([false]);
  });

  it("gives the same bytes for the same sources", async () => {
    const once = await buildProgram({
      input: join(root, "agent/main.ts"),
      outDir: join(root, "1"),
      name: "agent",
    });
    const twice = await buildProgram({
      input: join(root, "agent/main.ts"),
      outDir: join(root, "2"),
      name: "agent",
    });
    expect(await readFile(twice, "utf8")).toBe(await readFile(once, "utf8"));
  });

  it("fails on an import that no node could resolve", async () => {
    await writeFile(join(root, "agent/main.ts"), 'import "no-such-package";\n');
    await expect(build(["agent"], root)).rejects.toThrow("no-such-package");
  });
});
