import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, test } from "vitest";
import { NodeTree, newBuild, newHash, oldBuild, shells } from "./node-tree.ts";

describe.each(shells.map((shell) => ({ shell })))("agent-guard start in $shell", ({ shell }) => {
  const start = (tree: NodeTree) => tree.guard("start", { shell });

  test("does and says nothing without a trial", async () => {
    using tree = new NodeTree();
    expect(await start(tree)).toEqual({ status: 0, signal: null, stdout: "", stderr: "" });
    expect(tree.dist).toBe(oldBuild);
  });

  test("takes one try before each start, and goes back at the start after the last", async () => {
    using tree = new NodeTree().onProbation({ tries: 3 });
    for (const left of [2, 1, 0]) {
      const ended = await start(tree);
      expect(ended.status).toBe(0);
      expect(ended.stderr).toContain(
        `try-taken: ${newBuild} is on probation and starts; tries left after this one: ${left}.`,
      );
      expect(ended.stderr, "directories can be synced by an ordinary user").not.toContain("sync-failed");
      expect([tree.left("tries"), tree.dist, tree.quarantined]).toEqual([left, newBuild, false]);
    }
    expect((await start(tree)).stderr).toContain(`went-back: ${newBuild}`);
    expect([tree.dist, tree.quarantined, tree.has("state/verdict")]).toEqual([oldBuild, true, true]);
    expect((await start(tree)).stderr, "after going back there is nothing to do").toBe("");
  });

  test("acts only while dist names what the trial says: not before the flip, not on a third build", async () => {
    using tree = new NodeTree().onProbation({ tries: 0 });
    for (const build of [oldBuild, "releases/2.0.0-cccccccccccc"]) {
      tree.pointDist(build);
      expect(await start(tree)).toMatchObject({ status: 0, stderr: "" });
      expect([tree.dist, tree.quarantined]).toEqual([build, false]);
    }
  });

  test("removes `ready`, so that a stop before READY of the next start is not refunded", async () => {
    using tree = new NodeTree().onProbation();
    tree.writeTrial("ready", "");
    await start(tree);
    expect(tree.has("state/trial/ready")).toBe(false);
  });

  test("a stop that systemd made costs no try, up to the cap, even after the last try", async () => {
    using tree = new NodeTree().onProbation({ tries: 1, refunds: 2 });
    await start(tree);
    for (const left of [1, 0]) {
      tree.writeTrial("stop-requested", "");
      expect((await start(tree)).stderr).toContain("try-refunded");
      expect([tree.left("refunds"), tree.left("tries"), tree.dist]).toEqual([left, 0, newBuild]);
      expect(tree.has("state/trial/stop-requested"), "each refund is used once").toBe(false);
    }
    tree.writeTrial("stop-requested", "");
    expect((await start(tree)).stderr).toMatch(/refunds-used: .*\n.*went-back: /);
    expect(tree.dist).toBe(oldBuild);
  });

  test("a quarantine entry means that going back has begun: it is finished, whatever tries are left", async () => {
    using tree = new NodeTree().onProbation();
    writeFileSync(join(tree.state, "state/quarantine", newHash), '{"by":"agent"}');
    writeFileSync(join(tree.state, "state/verdict"), '{"by":"agent"}');
    await start(tree);
    expect(tree.dist).toBe(oldBuild);
    expect(tree.has("state/trial/verdict"), "the agent's verdict is not replaced").toBe(true);
  });

  test("writes no data: counting and going back work where not one byte can be written", async () => {
    using tree = new NodeTree().onProbation({ tries: 1, refunds: 1 });
    const script = ["-c", 'ulimit -f 0; exec "$@"', "limited", ...shell];
    const limited = { shell: ["dash", ...script] };
    expect((await tree.guard("start", limited)).stderr).toContain("try-taken");
    tree.writeTrial("stop-requested", "");
    expect((await tree.guard("start", limited)).stderr).toContain("try-refunded");
    expect((await tree.guard("start", limited)).stderr).toContain("went-back");
    expect([tree.dist, tree.quarantined]).toEqual([oldBuild, true]);
  });

  test("goes back with nothing but renames and unlinks", async () => {
    using tree = new NodeTree().onProbation({ tries: 0 });
    const bin = join(tree.root, "bin");
    mkdirSync(bin);
    const found = (process.env.PATH ?? "").split(delimiter);
    for (const command of ["mv", "readlink", "rm", "sync", ...shell.slice(0, 1)]) {
      const dir = found.find((candidate) => existsSync(join(candidate, command)));
      symlinkSync(join(dir ?? "/bin", command), join(bin, command));
    }
    expect((await tree.guard("start", { shell, env: { PATH: bin } })).stderr).toMatch(
      /^agent-guard: went-back: .*\n$/,
    );
    expect([tree.dist, tree.quarantined]).toEqual([oldBuild, true]);
  });

  const leftAlone: readonly { what: string; damage: (tree: NodeTree) => void; says: string }[] = [
    { what: "an unknown format", damage: (t) => t.writeTrial("format", "3\n"), says: "format is not 1" },
    { what: "no format", damage: (t) => t.removeTrial("format"), says: "format is not 1" },
    { what: "an empty `to`", damage: (t) => t.writeTrial("to", ""), says: "to names no release" },
    {
      what: "a `to` outside releases",
      damage: (t) => t.writeTrial("to", "/etc\n"),
      says: "to names no release",
    },
    {
      what: "a `from` that climbs",
      damage: (t) => t.writeTrial("from", "releases/..\n"),
      says: "from names no",
    },
    {
      what: "a `from` in depth",
      damage: (t) => t.writeTrial("from", "releases/a/b\n"),
      says: "from names no",
    },
    { what: "a `from` that is shell code", damage: shellCodeInFrom, says: "from names no release" },
    { what: "a `from` that is `to`", damage: (t) => t.writeTrial("from", newBuild), says: "from names no" },
    { what: "a `from` that is a directory", damage: directoryAsFrom, says: "from names no release" },
    { what: "a `from` that is a link", damage: linkAsFrom, says: "from names no release" },
    { what: "a trial that is a link", damage: linkAsTrial, says: "state/trial is not a directory" },
    { what: "a `from` without .complete", damage: incompleteFrom, says: `no-way-back: ${oldBuild}` },
    { what: "a `from` that is gone", damage: missingFrom, says: `no-way-back: ${oldBuild}` },
  ];
  test.each(leftAlone)("stays where it is, and says so, with $what", async ({ damage, says }) => {
    using tree = new NodeTree().onProbation({ tries: 0 });
    damage(tree);
    const ended = await start(tree);
    expect(ended).toMatchObject({ status: 1, stdout: "" });
    expect(ended.stderr).toContain(says);
    expect([tree.dist, tree.quarantined, tree.has("pwned")]).toEqual([newBuild, false, false]);
  });

  const stillGoesBack: readonly { what: string; damage: (tree: NodeTree) => void; says: string }[] = [
    { what: "a missing `tries`", damage: (t) => t.removeTrial("tries"), says: "went-back" },
    { what: "a `back` that is gone", damage: (t) => t.removeTrial("back"), says: "made anew" },
    { what: "a `back` that leads elsewhere", damage: strayBack, says: "made anew" },
    {
      what: "a missing quarantine entry",
      damage: (t) => t.removeTrial("quarantine"),
      says: "quarantine-failed",
    },
    { what: "a missing verdict", damage: (t) => t.removeTrial("verdict"), says: "went-back" },
    { what: "a missing state/quarantine", damage: missingQuarantine, says: "went-back" },
    { what: "a to-hash with a path in it", damage: (t) => t.writeTrial("to-hash", "../x"), says: "no hash" },
    { what: "a try that cannot be removed", damage: directoryAsTry, says: "went-back" },
  ];
  test.each(stillGoesBack)("goes back all the same with $what", async ({ damage, says }) => {
    using tree = new NodeTree().onProbation({ tries: 0 });
    damage(tree);
    expect((await start(tree)).stderr).toContain(says);
    expect([tree.dist, tree.has("state/x")]).toEqual([oldBuild, false]);
  });
});

test("a state directory that is gone and a wrong command are said, not guessed at", async () => {
  using tree = new NodeTree();
  expect(await tree.guard("begin")).toMatchObject({ status: 2, stderr: expect.stringContaining("usage:") });
  expect(await tree.guard("formats")).toMatchObject({ status: 0, stdout: "1\n" });
  rmSync(tree.state, { recursive: true });
  expect(await tree.guard("start")).toMatchObject({ status: 0, stderr: "" });
});

function shellCodeInFrom(tree: NodeTree): void {
  tree.writeTrial("from", `releases/$(touch ${tree.state}/pwned)\n\`touch ${tree.state}/pwned\``);
}

function directoryAsFrom(tree: NodeTree): void {
  tree.removeTrial("from");
  mkdirSync(join(tree.trial, "from"));
}

function linkAsFrom(tree: NodeTree): void {
  renameSync(join(tree.trial, "from"), join(tree.trial, "elsewhere"));
  symlinkSync("elsewhere", join(tree.trial, "from"));
}

function linkAsTrial(tree: NodeTree): void {
  renameSync(tree.trial, join(tree.state, "elsewhere"));
  symlinkSync("../elsewhere", tree.trial);
}

function incompleteFrom(tree: NodeTree): void {
  unlinkSync(join(tree.state, oldBuild, ".complete"));
}

function missingFrom(tree: NodeTree): void {
  rmSync(join(tree.state, oldBuild), { recursive: true });
}

function strayBack(tree: NodeTree): void {
  tree.removeTrial("back");
  symlinkSync("/etc", join(tree.trial, "back"));
}

function missingQuarantine(tree: NodeTree): void {
  rmSync(join(tree.state, "state/quarantine"), { recursive: true });
}

function directoryAsTry(tree: NodeTree): void {
  mkdirSync(join(tree.trial, "tries/1"));
}
