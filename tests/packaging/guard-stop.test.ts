import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { NodeTree, newBuild, oldBuild, shells } from "./node-tree.ts";

describe.each(shells.map((shell) => ({ shell })))("agent-guard stop in $shell", ({ shell }) => {
  const stopped = (mainPid: string) => ({ shell, env: { MAINPID: mainPid } });

  test("notes systemd's stop of a ready build on probation", async () => {
    using tree = new NodeTree().onProbation();
    tree.writeTrial("ready", "");
    expect(await tree.guard("stop", stopped("4711"))).toMatchObject({ status: 0, stderr: "" });
    expect([tree.has("state/trial/stop-requested"), tree.has("state/trial/ready")]).toEqual([true, false]);
  });

  test.each([
    { what: "the process ended by itself (no MAINPID)", pid: "", ready: true },
    { what: "the build was not ready", pid: "4711", ready: false },
  ])("notes nothing when $what", async ({ pid, ready }) => {
    using tree = new NodeTree().onProbation();
    if (ready) tree.writeTrial("ready", "");
    expect(await tree.guard("stop", stopped(pid))).toMatchObject({ status: 0 });
    expect(tree.has("state/trial/stop-requested")).toBe(false);
  });

  test("takes the process record away, so that the stop is no crash and has no deadline", async () => {
    using tree = new NodeTree();
    tree.processRecord = `4711 100 2 ${oldBuild.slice(9)}`;
    await tree.guard("stop", { shell });
    expect(tree.processRecord, "an end without systemd's stop keeps it").not.toBe("");
    await tree.guard("stop", stopped("4711"));
    expect(tree.processRecord).toBe("");
  });

  test("three stops by an operator are not a crash loop", async () => {
    using tree = new NodeTree().onProbation({ tries: 1, refunds: 3 });
    for (let n = 0; n < 3; n++) {
      await tree.guard("start", { shell });
      tree.writeTrial("ready", "");
      await tree.guard("stop", stopped("4711"));
    }
    await tree.guard("start", { shell });
    expect([tree.dist, tree.left("refunds")]).toEqual([newBuild, 0]);
  });

  test("says when it cannot, and harms nothing", async () => {
    using tree = new NodeTree().onProbation();
    tree.writeTrial("ready", "");
    mkdirSync(join(tree.trial, "stop-requested"));
    expect((await tree.guard("stop", stopped("4711"))).status).toBe(1);
    expect([tree.dist, tree.left("tries")]).toEqual([newBuild, 3]);
  });
});
