import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { NodeTree, newBuild, oldBuild, shells } from "./node-tree.ts";

/** A process that runs as the build, and can be ended with the scope. */
class Running {
  readonly child: ChildProcess = spawn("sleep", ["600"], { stdio: "ignore" });
  readonly ended = once(this.child, "exit");
  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }
  [Symbol.dispose](): void {
    this.child.kill("SIGKILL");
  }
}

const upSeconds = (): number => Math.floor(Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]));
const brief = { BATON_PROBATION_MS: "1500", BATON_DEADLINE_MARGIN_MS: "500" };

function recordOf(running: Running, options: { build?: string; lastedS?: number } = {}): string {
  const release = (options.build ?? newBuild).slice("releases/".length);
  return `${running.child.pid} ${upSeconds() - (options.lastedS ?? 5)} 0 ${release}`;
}

describe.each(shells.map((shell) => ({ shell })))("agent-guard deadline in $shell", ({ shell }) => {
  const deadline = (tree: NodeTree, env: Record<string, string> = brief) =>
    tree.guard("deadline", { shell, env });

  test("kills a start that lasts too long, and the next start goes back", async () => {
    using tree = new NodeTree().onProbation();
    using running = new Running();
    tree.processRecord = recordOf(running);
    expect((await deadline(tree)).stderr).toContain(`deadline-passed: ${newBuild}`);
    expect(await running.ended).toEqual([null, "SIGKILL"]);
    expect([tree.left("tries"), tree.dist]).toEqual([0, newBuild]);
    await tree.guard("start", { shell });
    expect([tree.dist, tree.quarantined]).toEqual([oldBuild, true]);
  });

  const spared: readonly {
    what: string;
    arrange: (tree: NodeTree, running: Running) => void;
    env?: Record<string, string>;
  }[] = [
    { what: "the time is not over", arrange: (t, r) => setRecord(t, recordOf(r, { lastedS: 0 })) },
    { what: "the defaults allow more", arrange: (t, r) => setRecord(t, recordOf(r)), env: {} },
    { what: "the trial allows more", arrange: allowMore },
    { what: "it is the old build, about to exit after the flip", arrange: oldProcess },
    { what: "the unit is being stopped", arrange: stopping },
    { what: "an operator stopped the unit (no record)", arrange: () => undefined },
    { what: "the record is torn", arrange: (t) => setRecord(t, "12 x") },
    { what: "the record names no process that could be the agent", arrange: (t) => setRecord(t, "1 0 0 x") },
    { what: "the build is confirmed (no trial)", arrange: confirmed },
    { what: "the node has gone back", arrange: gone },
    { what: "there is no build to go back to", arrange: nowhereBack },
  ];
  test.each(spared)("leaves it alone when $what", async ({ arrange, env }) => {
    using tree = new NodeTree().onProbation();
    using running = new Running();
    arrange(tree, running);
    await deadline(tree, env ?? brief);
    expect(running.alive).toBe(true);
    expect(tree.has("state/trial/tries") ? tree.left("tries") : 3).toBe(3);
  });

  test("a process that is gone already needs no end", async () => {
    using tree = new NodeTree().onProbation();
    const running = new Running();
    running.child.kill("SIGKILL");
    await running.ended;
    tree.processRecord = recordOf(running);
    expect(await deadline(tree)).toMatchObject({ status: 0, stderr: "" });
    expect(tree.left("tries")).toBe(3);
  });

  test.each([
    {
      state: "failed",
      status: 0,
      calls: "is-failed --quiet baton-agent.service\nstart --no-block baton-agent.service\n",
    },
    { state: "inactive", status: 1, calls: "is-failed --quiet baton-agent.service\n" },
  ])("revive, for a unit that is $state, asks systemd alone", async ({ status, calls }) => {
    using tree = new NodeTree().onProbation();
    const log = join(tree.root, "calls");
    mkdirSync(join(tree.root, "bin"));
    const systemctl = join(tree.root, "bin/systemctl");
    writeFileSync(systemctl, `#!/bin/sh\necho "$*" >>'${log}'\n[ "$1" != is-failed ] || exit ${status}\n`);
    chmodSync(systemctl, 0o755);
    const env = { PATH: `${join(tree.root, "bin")}:${process.env.PATH ?? ""}`, BATON_STATE_DIR: "/nowhere" };
    expect(await tree.guard("revive", { shell, env })).toMatchObject({ status: 0 });
    expect(readFileSync(log, "utf8")).toBe(calls);
  });
});

function setRecord(tree: NodeTree, line: string): void {
  tree.processRecord = line;
}

function allowMore(tree: NodeTree, running: Running): void {
  tree.processRecord = recordOf(running);
  tree.writeTrial("budget-ms", "600000\n");
}

function oldProcess(tree: NodeTree, running: Running): void {
  tree.processRecord = recordOf(running, { build: oldBuild });
}

function stopping(tree: NodeTree, running: Running): void {
  tree.processRecord = recordOf(running);
  tree.writeTrial("stop-requested", "");
}

function confirmed(tree: NodeTree, running: Running): void {
  tree.processRecord = recordOf(running);
  tree.removeTrial(".");
}

function gone(tree: NodeTree, running: Running): void {
  tree.processRecord = recordOf(running);
  tree.pointDist(oldBuild);
}

function nowhereBack(tree: NodeTree, running: Running): void {
  tree.processRecord = recordOf(running);
  tree.writeTrial("from", "releases/0.9.0-gone\n");
}
