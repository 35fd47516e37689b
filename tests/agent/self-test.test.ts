import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EMPTY_JOURNAL } from "../../agent/core/journal.ts";
import { findRunning } from "../../agent/running.ts";
import { selfTest } from "../../agent/self-test.ts";
import type { VersionJson } from "../../protocol/build.ts";
import { PLATFORM } from "./built-release.ts";

let dir = "";
let dist = "";
let home = "";
let config = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "baton-self-test-"));
  dist = join(dir, "dist");
  home = join(dir, "home");
  config = join(dir, "agent.toml");
  await mkdir(join(dist, "lib"), { recursive: true });
  await mkdir(join(home, "state"), { recursive: true });
  await writeFile(join(dist, "lib/entry.mjs"), "");
  await writeFile(config, `state_dir = "${home}"`);
});
afterEach(() => rm(dir, { recursive: true }));

const versionJson: VersionJson = {
  version: "1.4.0",
  buildHash: "d".repeat(64),
  builtAt: "2026-01-01T00:00:00Z",
  gitCommit: "unknown",
  entry: "lib/entry.mjs",
  engines: { node: "*" },
  platform: PLATFORM,
  protocol: 1,
};

/** Tests a build that says this of itself. */
async function test(more: Partial<VersionJson> = {}, load: () => Promise<unknown> = async () => undefined) {
  await writeFile(join(dist, "version.json"), JSON.stringify({ ...versionJson, ...more }));
  const running = findRunning(join(dist, "lib/entry.mjs"));
  return selfTest(running, load, { config, env: { PATH: process.env.PATH } });
}

describe("a build's self-test", () => {
  it("passes where everything is in order, finds version.json above its entry, and touches nothing", async () => {
    await writeFile(join(home, "state/journal.json"), JSON.stringify(EMPTY_JOURNAL));
    const before = await readdir(home, { recursive: true });
    const build = { version: "1.4.0", buildHash: "d".repeat(64) };
    expect(await test()).toMatchObject({ ok: true, build, problems: [] });
    expect(await readdir(home, { recursive: true })).toEqual(before);
  });

  it.each([
    [
      "another platform",
      { platform: PLATFORM === "linux-x64" ? "linux-arm64" : "linux-x64" },
      "is for linux",
    ],
    ["a later Node", { engines: { node: ">=99" } }, "needs Node >=99"],
    ["a protocol of another time", { protocol: 9 }, "speaks protocol 9"],
    ["a workload that is not there", { workload: { command: ["./serve"] } }, "workload's command, ./serve"],
    [
      "a hook that is not there",
      { workload: { drain: ["no-such-program"] } },
      "workload's drain, no-such-program",
    ],
  ] satisfies [string, Partial<VersionJson>, string][])("fails for %s", async (_what, more, problem) => {
    expect(await test(more)).toMatchObject({ ok: false, problems: [expect.stringContaining(problem)] });
  });

  it("fails for a program that may not be run, and passes when it may", async () => {
    await writeFile(join(dist, "serve"), "#!/bin/sh\n", { mode: 0o644 });
    const workload = { command: ["./serve"], health: ["sh", "-c", "true"], resume: ["node", "x"] };
    expect(await test({ workload })).toMatchObject({ ok: false });
    await chmod(join(dist, "serve"), 0o755);
    expect(await test({ workload })).toMatchObject({ ok: true });
  });

  it("fails for settings that it does not understand", async () => {
    await writeFile(config, "state_dri = 1");
    expect(await test()).toMatchObject({
      ok: false,
      problems: [expect.stringContaining("agent.toml:1: state_dri")],
    });
  });

  it("fails for authorities that are none", async () => {
    const ca = join(dir, "ca.pem");
    await writeFile(ca, "not a certificate");
    await writeFile(config, `state_dir = "${home}"\nca_file = "${ca}"`);
    expect(await test()).toMatchObject({ ok: false, problems: [expect.stringContaining("ca_file")] });
  });

  it("fails for a part that cannot be loaded", async () => {
    const load = () => Promise.reject(new Error("Cannot find module 'undici'"));
    expect(await test({}, load)).toMatchObject({ ok: false, problems: [expect.stringContaining("undici")] });
  });

  it("fails for a journal of a later format, and only notes one that is torn", async () => {
    const journal = join(home, "state/journal.json");
    await writeFile(journal, '{"format":2}');
    expect(await test()).toMatchObject({ ok: false, problems: [expect.stringContaining("format 2")] });
    await writeFile(journal, '{"format":1,"ph');
    expect(await test()).toMatchObject({
      ok: true,
      notes: [expect.stringContaining("journal"), expect.any(String)],
    });
  });
});

describe("what runs", () => {
  it("is a development tree where no version.json is above the entry", () => {
    expect(findRunning(join(dist, "lib/entry.mjs"))).toMatchObject({
      dist: null,
      build: { version: "0.0.0-dev" },
    });
    expect(findRunning(undefined)).toMatchObject({ dist: null });
  });
});
