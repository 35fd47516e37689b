import { execFile, execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SCRIPTS, type Shell } from "../../cli/completion/scripts.ts";
import { type Baton, baton } from "./harness.ts";

const run = promisify(execFile);

/** A coordinator that knows two groups, and takes its time when it is told to. */
async function fakeCoordinator(): Promise<{ server: Server; url: string; hang: { on: boolean } }> {
  const lease = { group: "db", holder: null, broken: [], voters: 3, quorum: 2, spare: 0, serving: 3 };
  const rest = {
    mode: "quorum",
    spare: null,
    desired: null,
    windows: null,
    freeze: null,
    channel: null,
    gate: null,
  };
  const group = (name: string) => ({
    name,
    ...rest,
    nodes: 3,
    lease: { ...lease, group: name },
    createdAt: 1,
  });
  const hang = { on: false };
  const server = createServer((request, response) => {
    if (hang.on) return;
    response.setHeader("content-type", "application/json");
    if (request.url?.startsWith("/v1/groups") === true) {
      response.end(JSON.stringify({ groups: [group("db"), group("data")], next: null }));
    } else response.writeHead(500).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, hang };
}

describe("what may stand where the cursor is", () => {
  let fake: Awaited<ReturnType<typeof fakeCoordinator>>;
  let command: Baton;
  const candidates = async (...words: string[]): Promise<readonly string[]> => {
    const { out } = await command("__complete", "--", ...words);
    return out
      .trimEnd()
      .split("\n")
      .map((line) => line.replace(/\t.*/, ""));
  };
  beforeAll(async () => {
    fake = await fakeCoordinator();
    command = baton({ env: { BATON_URL: fake.url, BATON_TOKEN: "t" } });
  });
  afterAll(() => {
    fake.server.closeAllConnections();
    fake.server.close();
  });

  test.each<[readonly string[], readonly string[]]>([
    [["ro"], [":words", "rollout"]],
    [
      ["rollout", "st"],
      [":words", "start", "status"],
    ],
    [
      ["rollout", "start", "--off"],
      [":words", "--offline"],
    ],
    [
      ["rollout", "start", "--offline", ""],
      [":words", "halt", "skip"],
    ],
    [
      ["rollout", "start", "--offline=s"],
      [":words", "--offline=skip"],
    ],
    [
      ["rollout", "start", "--group", "d"],
      [":words", "db", "data"],
    ],
    [
      ["rollout", "start", "--group", "db", "--group=d"],
      [":words", "--group=db", "--group=data"],
    ],
    [
      ["nodes", "--gr"],
      [":words", "--group"],
    ],
    [
      ["nodes", "--group", "da"],
      [":words", "data"],
    ],
    [
      ["groups", "show", "d"],
      [":words", "db", "data"],
    ],
    [["groups", "show", "db", "x"], [":words"]],
    [["publish", "x"], [":files"]],
    [["publish", "--keys", ""], [":dirs"]],
    [["audit", "--export", ""], [":files"]],
    [
      ["completion", ""],
      [":words", "bash", "zsh", "fish"],
    ],
    [
      ["tokens", "create", "--role", "o"],
      [":words", "operator"],
    ],
    [["nodes", "show", "--", "-"], [":words"]],
    [["rollout", "start", "--release", ""], [":words"]],
    [["nonsense", ""], [":words"]],
    [["groups", "show", "--context", "nowhere", ""], [":words"]],
  ])("%j: %j", async (words, expected) => {
    expect(await candidates(...words)).toEqual(expected);
  });

  test("every command is among them, but for the hidden one", async () => {
    const all = await candidates("");
    expect(all).toContain("rollout");
    expect(all).not.toContain("__complete");
    expect((await command("__complete", "--", "rollout", "sta")).out).toContain(
      "status\tone rollout: its stages",
    );
  });

  test("a coordinator that does not answer costs a second, and no error", async () => {
    fake.hang.on = true;
    const before = performance.now();
    const asked = await command("__complete", "--", "groups", "show", "");
    fake.hang.on = false;
    expect(asked).toEqual({ status: 0, out: ":words\n", err: "" });
    expect(performance.now() - before).toBeLessThan(3_000);
  });
});

const there = (shell: string): boolean => {
  try {
    execFileSync(shell, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};

describe("the scripts, in the shells themselves", () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "baton-shell-"));
    await mkdir(join(dir, "bin"));
    // What baton would answer, told by what it is asked.
    await writeFile(
      join(dir, "bin", "baton"),
      `#!/bin/sh
shift 2
printf '%s\\n' "$#:$*" >> ${join(dir, "asked")}
case "$*" in
  *--group=*) printf ':words\\n--group=db\\tquorum, 3 nodes\\n--group=data\\tx\\n' ;;
  *publish*) printf ':files\\n' ;;
  *) printf ':words\\nstart\\tbegin it\\nstatus\\tlook at it\\n' ;;
esac
`,
    );
    await chmod(join(dir, "bin", "baton"), 0o755);
    await writeFile(join(dir, "1.0.0-linux-x64.tar.zst"), "");
    for (const [shell, script] of Object.entries(SCRIPTS))
      await writeFile(join(dir, `baton.${shell}`), script);
  });
  afterAll(() => rm(dir, { recursive: true }));

  const env = () => ({ PATH: `${join(dir, "bin")}:${process.env.PATH}`, HOME: dir });

  test.each((["bash", "zsh", "fish"] as const).filter(there))("%s can read its script", async (shell) => {
    const { stderr } = await run(shell, ["-n", join(dir, `baton.${shell}`)], { env: env() });
    expect(stderr).toBe("");
  });

  /** What bash makes of a line, its words split as readline splits them. */
  const inBash = async (words: readonly string[]): Promise<readonly string[]> => {
    const script = `source ${join(dir, "baton.bash")}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _baton; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = await run("bash", ["-c", script, "bash", "baton", ...words], { env: env() });
    return stdout.trimEnd().split("\n").filter(Boolean);
  };

  test("bash: words, and options whose value readline cuts off at the =", async () => {
    expect(await inBash(["rollout", "st"])).toEqual(["start", "status"]);
    expect(await inBash(["rollout", "start", "--group", "=", "d"])).toEqual(["db", "data"]);
    expect(await inBash(["rollout", "start", "--group", "="])).toEqual(["db", "data"]);
    expect(await inBash(["publish", ""])).toEqual([]);
  });

  test("bash evaluates nothing of what was typed", async () => {
    await inBash(["rollout", "$(touch evil)", "`touch evil`", "; touch evil", ""]);
    await expect(run("ls", [join(dir, "evil")])).rejects.toThrow("No such file");
  });

  test.runIf(there("fish"))("fish: candidates with what they are", async () => {
    const script = `source ${join(dir, "baton.fish")}; complete -C "baton rollout st"`;
    const { stdout } = await run("fish", ["--no-config", "-c", script], { env: env() });
    expect(stdout).toBe("start\tbegin it\nstatus\tlook at it\n");
  });

  test("each is what `baton completion` prints", async () => {
    for (const shell of Object.keys(SCRIPTS) as Shell[]) {
      expect(await baton({ env: {} })("completion", shell)).toEqual({
        status: 0,
        out: SCRIPTS[shell],
        err: "",
      });
    }
    expect(await baton({ env: {} })("completion", "tcsh")).toMatchObject({ status: 2 });
  });
});
