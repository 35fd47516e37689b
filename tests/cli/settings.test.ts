import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exitOf } from "../../cli/failure.ts";
import { targetOf } from "../../cli/settings.ts";
import { baton } from "./harness.ts";

describe("which coordinator, and with which token", () => {
  let dir: string;
  let file: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "baton-target-"));
    file = join(dir, "config.toml");
    await writeFile(join(dir, "token"), "from-file\n");
    await writeFile(file, `url = "https://settings.example"\ntoken_file = "${join(dir, "token")}"\n`);
    await writeFile(join(dir, "wrong.toml"), 'ulr = "https://x"\n');
  });
  afterAll(() => rm(dir, { recursive: true }));

  test("this machine's, without a token, when nothing is said", async () => {
    expect(await targetOf({ HOME: dir }, {})).toEqual({
      url: "http://127.0.0.1:8420",
      token: null,
      caFile: null,
      context: null,
      tokenFrom: null,
      warnings: [],
    });
  });

  test("--url goes before the environment, which goes before the settings", async () => {
    const env = { BATON_CLI_CONFIG: file };
    expect(await targetOf(env, {})).toMatchObject({
      url: "https://settings.example",
      token: "from-file",
    });
    expect(await targetOf({ ...env, BATON_URL: "http://e", BATON_TOKEN: "t" }, {})).toMatchObject({
      url: "http://e",
      token: "t",
    });
    expect(await targetOf({ ...env, BATON_URL: "http://e" }, { url: "http://o" })).toMatchObject({
      url: "http://o",
    });
  });

  test("wrong settings are wrong usage, with file, line and what was meant", async () => {
    const ran = await baton({ env: { BATON_CLI_CONFIG: join(dir, "wrong.toml") } })("nodes");
    expect(ran).toMatchObject({
      status: 2,
      err: expect.stringContaining("wrong.toml:1: ulr: there is no such setting. Did you mean url?"),
    });
  });

  test("a token that cannot be read is told", async () => {
    const ran = await baton({ env: { BATON_TOKEN_FILE: join(dir, "nothing") } })("nodes");
    expect(ran).toMatchObject({ status: 1, err: expect.stringContaining("cannot be read") });
  });
});

test.each([
  ["held-by", 5],
  ["rollout-active", 5],
  ["not-found", 1],
  ["forbidden", 1],
  ["internal", 1],
  ["settings", 2],
  ["usage", 2],
  ["halted", 3],
  ["failed", 3],
  ["timed-out", 4],
  ["interrupted", 130],
  ["something-else", 1],
])("a failure with the code %s exits with %d", (code, status) => {
  expect(exitOf({ code, message: "" })).toBe(status);
});

test.each([
  [["--help"], 0],
  [["--version"], 0],
  [["rollout", "start"], 2],
  [["rollout", "start", "--group"], 2],
  [["nonsense"], 2],
  [["nodes", "list", "--colour"], 2],
  [["tokens", "create", "x", "--role", "king"], 2],
  [["tokens", "join", "--group", "db", "--ttl", "soon"], 2],
])("baton %j exits with %d", async (argv, status) => {
  expect((await baton({ env: {} })(...argv)).status).toBe(status);
});

test("what is typed wrong is guessed", async () => {
  expect((await baton({ env: {} })("rollouts")).err).toContain("Did you mean rollout?");
  const mistyped = await baton({ env: {} })("rollout", "statsu");
  expect(mistyped).toMatchObject({
    status: 2,
    err: expect.stringContaining(
      "There is no command baton rollout statsu. Did you mean baton rollout status?",
    ),
  });
  expect((await baton({ env: {} })("nodes", "frobnicate")).err).toContain("There is: list, show, update");
});
