import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { NodeTree, newBuild, oldBuild, shells } from "./node-tree.ts";

const printing = 'echo "$0 $*"; echo "state=$BATON_STATE_DIR crashes=$BATON_CRASHES options=$NODE_OPTIONS"\n';

describe.each(shells.map((shell) => ({ shell })))("agent-launch in $shell", ({ shell }) => {
  const launch = (tree: NodeTree, env: Record<string, string> = {}) => tree.launch([], { shell, env });

  test("becomes the entry of the build that dist names, by its physical path", async () => {
    using tree = new NodeTree();
    const dir = tree.release(oldBuild, "agent.sh", printing);
    const ended = await tree.launch(["--config", "a b"], {
      shell,
      env: { NODE_OPTIONS: "--require /tmp/x" },
    });
    expect(ended).toMatchObject({ status: 0, stderr: "" });
    expect(ended.stdout).toBe(`${dir}/agent.sh run --config a b\nstate=${tree.state} crashes=0 options=\n`);
  });

  test("prefers the runtime that the bundle brings, if it can be executed", async () => {
    using tree = new NodeTree();
    const own = join(tree.state, oldBuild, "bin/node");
    mkdirSync(join(tree.state, oldBuild, "bin"));
    writeFileSync(own, '#!/bin/sh\necho "own $2"\n');
    expect((await launch(tree)).stdout).toBe("");
    chmodSync(own, 0o755);
    expect((await launch(tree)).stdout).toBe("own run\n");
  });

  test("leaves the agent's exit status and process id as they are", async () => {
    using tree = new NodeTree();
    tree.release(oldBuild, "agent.sh", "echo $$; exit 75\n");
    const ended = await launch(tree);
    expect(ended.status).toBe(75);
    expect(tree.processRecord).toMatch(new RegExp(`^${ended.stdout.trim()} \\d+ 0 ${oldBuild.slice(9)}$`));
  });

  const refused: readonly { what: string; damage: (tree: NodeTree) => void; says: string }[] = [
    { what: "no dist", damage: (t) => unlinkSync(join(t.state, "dist")), says: "no-dist: " },
    { what: "a dist that leads out of releases", damage: (t) => t.pointDist("/usr"), says: "no-dist: " },
    { what: "a dist that climbs", damage: (t) => t.pointDist("releases/.."), says: "no-dist: " },
    { what: "a release that is gone", damage: (t) => t.pointDist("releases/9.9.9-x"), says: "no-release: " },
    { what: "a release without .complete", damage: incomplete, says: "incomplete: " },
    {
      what: "an entry that climbs",
      damage: (t) => entryIs(t, "../1.1.0-bbbbbbbbbbbb/agent.sh"),
      says: "no-entry: ",
    },
    { what: "an absolute entry", damage: (t) => entryIs(t, "/bin/true"), says: "no-entry: " },
    { what: "an entry that is not there", damage: (t) => entryIs(t, "other.mjs"), says: "no-entry: " },
    { what: "an empty entry", damage: (t) => entryIs(t, ""), says: "no-entry: " },
  ];
  test.each(refused)("refuses $what with a sentence, what to do and exit 78", async ({ damage, says }) => {
    using tree = new NodeTree();
    damage(tree);
    const ended = await launch(tree);
    expect(ended).toMatchObject({ status: 78, stdout: "" });
    expect(ended.stderr).toContain(says);
    expect(ended.stderr).toContain("agent install FILE");
  });

  test("refuses to start without a runtime, and says where it looked", async () => {
    using tree = new NodeTree();
    const ended = await launch(tree, { BATON_NODE: "/nowhere/node" });
    expect(ended).toMatchObject({
      status: 78,
      stderr: expect.stringContaining("no-node: There is no runtime at /nowhere/node"),
    });
  });

  test("a build that keeps crashing is started ever more slowly, and is told how often it crashed", async () => {
    using tree = new NodeTree();
    tree.release(oldBuild, "agent.sh", 'echo "$BATON_CRASHES"; exit 1\n');
    const env = sleepless(tree);
    const crashes: string[] = [];
    for (let n = 0; n < 9; n++) crashes.push((await launch(tree, env)).stdout.trim());
    expect(crashes).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "8"]);
    expect(calls(tree).filter((call) => call.startsWith("sleep"))).toEqual(
      [1, 2, 5, 10, 30, 30].map((seconds) => `sleep ${seconds}`),
    );
  });

  test("a missing dist is a crash as well, and cannot spin", async () => {
    using tree = new NodeTree();
    unlinkSync(join(tree.state, "dist"));
    const env = sleepless(tree);
    for (let n = 0; n < 4; n++) expect((await launch(tree, env)).status).toBe(78);
    expect(calls(tree)).toEqual(["sleep 1"]);
  });

  const unpaid: readonly { what: string; between: (tree: NodeTree) => void; env?: Record<string, string> }[] =
    [
      { what: "an update or going back (another build)", between: (t) => t.pointDist(newBuild) },
      { what: "systemd's stop (no record)", between: (t) => rmSync(join(t.run, "process")) },
      { what: "a run that lasted", between: () => undefined, env: { BATON_CRASH_RESET_S: "0" } },
      { what: "a torn record", between: (t) => writeFileSync(join(t.run, "process"), "17 $(x) 08") },
    ];
  test.each(unpaid)("$what pays nothing", async ({ between, env }) => {
    using tree = new NodeTree();
    tree.processRecord = `4711 1 7 ${oldBuild.slice(9)}`;
    between(tree);
    await launch(tree, { BATON_CRASH_RESET_S: "999999999", ...sleepless(tree), ...env });
    expect(calls(tree)).toEqual([]);
  });

  test("a start that is stopped while it waits is followed by one without delay", async () => {
    using tree = new NodeTree();
    tree.processRecord = `4711 1 7 ${oldBuild.slice(9)}`;
    const env = { BATON_CRASH_RESET_S: "999999999", ...sleepless(tree, "kill -s TERM 0") };
    expect((await launch(tree, env)).signal).toBe("SIGTERM");
    expect((await launch(tree, env)).status).toBe(0);
  });

  test("asks systemd for the time that it waits, and waits less when systemd cannot be asked", async () => {
    using tree = new NodeTree();
    for (const [answer, waits] of [
      ["exit 0", 30],
      ["exit 1", 10],
    ] as const) {
      tree.processRecord = `4711 1 7 ${oldBuild.slice(9)}`;
      const env = sleepless(tree, "exit 0", answer);
      await launch(tree, { BATON_CRASH_RESET_S: "999999999", NOTIFY_SOCKET: "/nowhere", ...env });
      expect(calls(tree).at(-2)).toContain("systemd-notify EXTEND_TIMEOUT_USEC=50000000 STATUS=");
      expect(calls(tree).at(-1)).toBe(`sleep ${waits}`);
    }
  });

  test("an install while it waits is what it starts", async () => {
    using tree = new NodeTree();
    tree.processRecord = `4711 1 7 ${oldBuild.slice(9)}`;
    tree.release(newBuild, "agent.sh", "echo new\n");
    const env = sleepless(
      tree,
      `ln -s ${newBuild} '${tree.state}/d' && mv -T '${tree.state}/d' '${tree.state}/dist'`,
    );
    expect((await launch(tree, { BATON_CRASH_RESET_S: "999999999", ...env })).stdout).toBe("new\n");
    expect(tree.processRecord).toContain(newBuild.slice(9));
  });

  test("starts without a runtime directory, and says that crashes are not counted", async () => {
    using tree = new NodeTree();
    renameSync(tree.run, `${tree.run}.moved`);
    expect(await launch(tree)).toMatchObject({ status: 0, stderr: expect.stringContaining("no-record: ") });
  });
});

function incomplete(tree: NodeTree): void {
  unlinkSync(join(tree.state, oldBuild, ".complete"));
}

function entryIs(tree: NodeTree, entry: string): void {
  writeFileSync(join(tree.state, oldBuild, ".complete"), `${entry}\n${"a".repeat(64)}\n`);
}

/** A PATH on which `sleep` and `systemd-notify` only note that they were called, and then do what is given. */
function sleepless(tree: NodeTree, sleep = "exit 0", notify = "exit 0"): Record<string, string> {
  const bin = join(tree.root, "bin");
  mkdirSync(bin, { recursive: true });
  for (const [name, then] of [
    ["sleep", sleep],
    ["systemd-notify", notify],
  ] as const) {
    writeFileSync(join(bin, name), `#!/bin/sh\necho "${name} $*" >>'${join(tree.root, "calls")}'\n${then}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return { PATH: `${bin}:${process.env.PATH ?? ""}` };
}

function calls(tree: NodeTree): string[] {
  try {
    return readFileSync(join(tree.root, "calls"), "utf8").trim().split("\n");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
