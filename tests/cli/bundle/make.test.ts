import { execFile } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bundleCommand, findAgentDir } from "../../../cli/bundle/command.ts";
import { inspectBundle } from "../../../cli/bundle/pack.ts";
import { readStamp } from "../../../cli/bundle/stamp.ts";
import { readWorkload } from "../../../cli/bundle/workload-file.ts";

const run = promisify(execFile);
let dir = "";
let tree = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "baton-make-"));
  tree = join(dir, "service");
  await mkdir(join(dir, "agent"));
  await writeFile(join(dir, "agent/agent.mjs"), "agent");
  await mkdir(tree);
  for (const name of ["serve", "health"]) await writeFile(join(tree, name), "#!/bin/sh\n", { mode: 0o755 });
});
afterEach(() => rm(dir, { recursive: true }));

/** Runs `baton bundle` with these arguments; what it printed. */
async function bundle(...args: string[]): Promise<string> {
  const printed: string[] = [];
  const command = bundleCommand({
    agentDir: join(dir, "agent"),
    env: { SOURCE_DATE_EPOCH: "1700000000" },
    now: () => new Date(0),
    platform: "linux-x64",
    execPath: process.execPath,
    print: (text) => printed.push(text),
  });
  command.exitOverride().configureOutput({ writeErr: () => undefined });
  await command.parseAsync(args, { from: "user" });
  return printed.join("\n");
}

const workload = (content: object | string, name = "workload.json") =>
  writeFile(join(tree, name), typeof content === "string" ? content : JSON.stringify(content));

describe("baton bundle", () => {
  it("lays the stock agent beside a workload, and says what it made", async () => {
    await workload({ command: ["./serve"], health: ["./health"], drainMs: 5000 });
    const out = join(dir, "b.tar.zst");
    const made = JSON.parse(await bundle(tree, "--version", "1.4.0", "--out", out, "--json"));
    const read = await inspectBundle(out);
    expect(read).toMatchObject({
      ok: true,
      value: {
        versionJson: {
          version: "1.4.0",
          entry: "agent.mjs",
          builtAt: "2023-11-14T22:13:20Z",
          engines: { node: ">=26.0.0" },
          platform: "linux-x64",
          workload: { command: ["./serve"], health: ["./health"], drainMs: 5000 },
        },
      },
    });
    expect(made).toMatchObject({
      file: out,
      build: { version: "1.4.0" },
      versionJson: { gitCommit: "unknown" },
    });
    expect(read.ok && read.value.entries.map(({ path }) => path)).toEqual([
      "version.json",
      "agent.mjs",
      "health",
      "serve",
      "workload.json",
    ]);
    expect(await bundle(tree, "--version", "1.4.0", "--out", out)).toContain(made.build.buildHash);
  });

  it("takes other hooks for another build", async () => {
    await workload({ command: ["./serve"] });
    const one = JSON.parse(await bundle(tree, "--out", join(dir, "1"), "--json"));
    await workload({ command: ["./serve"], health: ["./health"] });
    const two = JSON.parse(await bundle(tree, "--out", join(dir, "2"), "--json"));
    expect(two.build.buildHash).not.toBe(one.build.buildHash);
  });

  it("takes a program of its own as a library, and a runtime along", async () => {
    await writeFile(join(tree, "daemon.mjs"), "");
    const runtime = join(dir, "node");
    await writeFile(runtime, "ELF", { mode: 0o755 });
    const out = join(dir, "b.tar.zst");
    await bundle(
      tree,
      "--library",
      "daemon.mjs",
      "--runtime",
      runtime,
      "--platform",
      "linux-arm64",
      "--out",
      out,
    );
    const read = await inspectBundle(out);
    expect(read).toMatchObject({
      ok: true,
      value: { versionJson: { entry: "daemon.mjs", platform: "linux-arm64", engines: { node: "*" } } },
    });
    expect(read.ok && read.value.entries).toContainEqual(
      expect.objectContaining({ path: "bin/node", mode: 0o755 }),
    );
    expect(read.ok && read.value.versionJson.workload).toBeUndefined();
  });

  it.each([
    ["no-directory", () => ["/nonexistent"]],
    ["no-agent", () => [tree, "--agent", "/nonexistent"]],
    ["no-runtime", () => [tree, "--runtime", "/nonexistent"]],
    ["bad-version", () => [tree, "--version", "v1"]],
    ["workload-file", () => [tree]],
    ["bundle-entry-missing", () => [tree, "--library", "other.mjs"]],
  ])("fails with %s", async (code, args) => {
    await expect(bundle(...args(), "--out", join(dir, "out"))).rejects.toMatchObject({ fault: { code } });
  });

  it.each([[["--platform", "win32-x64"]], [["--platform", "linux-arm64", "--runtime"]], [["--nonsense"]]])(
    "is used wrongly with %j",
    async (args) => {
      await expect(bundle(tree, ...args)).rejects.toMatchObject({ name: "CommanderError" });
    },
  );

  it("finds the agent where it is installed and where it is built", async () => {
    expect(findAgentDir(dir)).toBe(join(dir, "agent"));
    await mkdir(join(dir, "baton"));
    expect(findAgentDir(join(dir, "baton"))).toBe(join(dir, "agent"));
    await mkdir(join(dir, "src/cli"), { recursive: true });
    await cp(join(dir, "agent"), join(dir, "src/build/agent"), { recursive: true });
    expect(findAgentDir(join(dir, "src/cli"))).toBe(join(dir, "src/build/agent"));
  });
});

describe("readWorkload", () => {
  it("reads TOML as well, in snake_case", async () => {
    await workload(
      'command = ["./serve", "--port", "1"]\nhealth = { http = "http://127.0.0.1:1/" }\nstop_ms = 9\n',
      "workload.toml",
    );
    expect(await readWorkload(tree)).toEqual({
      ok: true,
      value: { command: ["./serve", "--port", "1"], health: { http: "http://127.0.0.1:1/" }, stopMs: 9 },
    });
  });

  it.each([
    [
      "both files",
      () => Promise.all([workload("{}"), workload("", "workload.toml")]),
      /both workload.json and/,
    ],
    ["no JSON", () => workload('{\n  "command": [,]\n}'), /workload\.json is not JSON: Unexpected token/],
    ["an unknown key", () => workload({ comand: [] }), /workload\.json: there is no key "comand".*/],
    ["a wrong type", () => workload({ drainMs: "5 s" }), /workload\.json is malformed at \/drainMs/],
    ["no TOML", () => workload("command = \n", "workload.toml"), /workload\.toml:1: this is not TOML/],
    [
      "an unknown key in TOML",
      () => workload("\nstop_mss = 1\n", "workload.toml"),
      /workload\.toml:2: stop_mss: .*Did you mean stop_ms/,
    ],
    [
      "a program that is missing",
      () => workload({ command: ["./gone"] }),
      /command names \.\/gone, which is not there/,
    ],
    [
      "a program that is not executable",
      async () => {
        await chmod(join(tree, "health"), 0o644);
        await workload({ health: ["./health"] });
      },
      /health names \.\/health, which is not executable/,
    ],
  ])("refuses %s", async (_, write, message) => {
    await write();
    expect(await readWorkload(tree)).toMatchObject({
      ok: false,
      error: { message: expect.stringMatching(message) },
    });
  });

  it("leaves programs of the node alone", async () => {
    await workload({ command: ["python3", "serve.py"], health: ["/usr/bin/true"] });
    expect(await readWorkload(tree)).toMatchObject({ ok: true });
  });
});

describe("readStamp", () => {
  const stamp = (version?: string, env = {}) =>
    readStamp({
      dir: tree,
      env,
      now: () => new Date("2026-02-03T04:05:06.789Z"),
      ...(version === undefined ? {} : { version }),
    });
  const git = (...args: string[]) =>
    run("git", ["-C", tree, "-c", "user.name=n", "-c", "user.email=n@example.com", ...args]);

  it("is of development outside git, by the clock", async () => {
    expect(await stamp()).toEqual({
      ok: true,
      value: { version: "0.0.0-dev", gitCommit: "unknown", builtAt: "2026-02-03T04:05:06Z" },
    });
  });

  it("takes the version of package.json, and goes before it", async () => {
    await writeFile(join(tree, "package.json"), '{"version":"3.2.1"}');
    expect(await stamp()).toMatchObject({ ok: true, value: { version: "3.2.1" } });
    expect(await stamp("4.0.0-rc.1+b")).toMatchObject({ ok: true, value: { version: "4.0.0-rc.1+b" } });
  });

  it("names the commit, and says when the tree is not the commit's", async () => {
    await git("init", "-q");
    expect(await stamp()).toMatchObject({ ok: true, value: { gitCommit: "unknown" } });
    await git("add", ".");
    await git("commit", "-q", "-m", "one");
    const commit = (await git("rev-parse", "HEAD")).stdout.slice(0, 12);
    expect(await stamp()).toMatchObject({ ok: true, value: { gitCommit: commit } });
    await writeFile(join(tree, "new"), "");
    expect(await stamp()).toMatchObject({ ok: true, value: { gitCommit: `${commit}-dirty` } });
  });

  it.each(["", "soon", "-1", "9".repeat(20)])("judges SOURCE_DATE_EPOCH=%s", async (epoch) => {
    const expected = epoch === "" ? { ok: true } : { ok: false, error: { code: "bad-source-date-epoch" } };
    expect(await stamp("1.0.0", { SOURCE_DATE_EPOCH: epoch })).toMatchObject(expected);
  });
});
