import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { NodeTree, newBuild, newHash, oldBuild, type Shell, shells } from "./node-tree.ts";

/**
 * The guard is killed before and after each command that it runs, with its whole process group, as a power cut or the
 * kernel's OOM killer would. systemd starts the build all the same (`ExecStartPre=-`), so the killed start counts as
 * one in which the build ran. From wherever it was left, the next starts must end on the old build.
 */
type Scene = { readonly what: string; readonly tries: number; readonly refunds: number; readonly set: SetUp };
type SetUp = (tree: NodeTree) => void;

const nothingMore: SetUp = () => undefined;
const stopRequested: SetUp = (tree) => tree.writeTrial("stop-requested", "");

const scenes: readonly Scene[] = [
  { what: "a start that takes a try", tries: 2, refunds: 1, set: nothingMore },
  { what: "a start that is refunded", tries: 2, refunds: 1, set: stopRequested },
  { what: "a refund after the last try", tries: 0, refunds: 1, set: stopRequested },
  { what: "a stop with every refund used", tries: 1, refunds: 0, set: stopRequested },
  { what: "going back", tries: 0, refunds: 0, set: nothingMore },
  { what: "going back that the agent had begun", tries: 2, refunds: 1, set: quarantinedByAgent },
  { what: "going back without a directory for the quarantine", tries: 0, refunds: 0, set: noQuarantineDir },
  { what: "going back without a ready link", tries: 0, refunds: 0, set: (tree) => tree.removeTrial("back") },
];

const path = process.env.PATH ?? "";

// In the shell that Debian has as sh all of them, in the other the three that differ most.
const cases = shells.flatMap((shell, index) =>
  scenes.filter((_, nth) => index === 0 || [0, 1, 4].includes(nth)).map((scene) => ({ ...scene, shell })),
);

test.each(cases)("killed before and after each command of $what in $shell, it converges", async (scene) => {
  let cuts = 0;
  for (const when of ["before", "after"] as const) {
    for (let nth = 1; await cutAt(scene, scene.shell, when, nth); nth++) cuts += 1;
  }
  expect(cuts, "the guard runs commands, and each was a place to be killed").toBeGreaterThan(5);
});

/** False when the guard ran fewer than `nth` commands, and so ended by itself. */
async function cutAt(scene: Scene, shell: Shell, when: "before" | "after", nth: number): Promise<boolean> {
  using tree = new NodeTree().onProbation(scene);
  scene.set(tree);
  const place = `killed ${when} command ${nth}`;
  const ended = await tree.guard("start", { shell, env: killingPath(tree, when, nth) });
  const wasKilled = ended.signal === "SIGKILL";
  expect([null, "SIGKILL"], `${place}: nothing else ends it`).toContain(ended.signal);

  // Only a start that was killed before it counted anything may come on top of the tries and refunds.
  const counted = tree.left("tries") + tree.left("refunds") < scene.tries + scene.refunds;
  const stopLost =
    scene.set === stopRequested && scene.refunds > 0 && !tree.has("state/trial/stop-requested");
  expect(counted || !stopLost, `${place}: a stop is not forgotten before its refund is taken`).toBe(true);
  const allowed = scene.tries + scene.refunds + (wasKilled && !counted ? 1 : 0);
  let ranNewBuild = 0;
  for (let start = 1; start <= 10; start++) {
    checkTree(tree, place);
    if (tree.dist === oldBuild) break;
    ranNewBuild += 1;
    await tree.guard("start", { shell, env: { PATH: `${join(tree.root, "still")}:${path}` } });
  }
  expect(tree.dist, `${place}: it ends on the old build`).toBe(oldBuild);
  expect(tree.has("state/verdict"), `${place}: the old build finds the verdict`).toBe(true);
  expect(ranNewBuild, `${place}: the starts are bounded`).toBeLessThanOrEqual(allowed);
  return wasKilled;
}

/** What must hold at every instant. */
function checkTree(tree: NodeTree, place: string): void {
  expect([oldBuild, newBuild], `${place}: dist names one of the two`).toContain(tree.dist);
  expect(tree.has(`${tree.dist}/.complete`), `${place}: dist names a complete build`).toBe(true);
  if (tree.dist === oldBuild) expect(tree.quarantined, `${place}: quarantine comes first`).toBe(true);
}

/**
 * A PATH on which each command that the guard uses counts itself, and kills the process group at the nth. `sync` does
 * nothing else: no power is cut here, and waiting for the disk hundreds of times would take most of the time.
 */
function killingPath(tree: NodeTree, when: "before" | "after", nth: number): Record<string, string> {
  const bin = join(tree.root, "bin");
  const counter = join(tree.root, "count");
  mkdirSync(bin);
  writeFileSync(counter, "0\n");
  const shim = join(tree.root, "shim");
  mkdirSync(join(tree.root, "still"));
  symlinkSync("/bin/true", join(tree.root, "still/sync"));
  writeFileSync(
    shim,
    `#!/bin/sh
read -r count <'${counter}'
count=$((count + 1))
echo $count >'${counter}'
[ ${when} = before ] && [ $count = ${nth} ] && kill -s KILL 0
PATH='${path}'
[ "\${0##*/}" = sync ] || "\${0##*/}" "$@"
status=$?
[ ${when} = after ] && [ $count = ${nth} ] && kill -s KILL 0
exit $status
`,
  );
  chmodSync(shim, 0o755);
  for (const command of ["rm", "mv", "ln", "mkdir", "readlink", "sync"])
    symlinkSync(shim, join(bin, command));
  return { PATH: `${bin}:${path}` };
}

function quarantinedByAgent(tree: NodeTree): void {
  const entry = readFileSync(join(tree.trial, "quarantine"));
  writeFileSync(join(tree.state, "state/quarantine", newHash), entry);
}

function noQuarantineDir(tree: NodeTree): void {
  rmSync(join(tree.state, "state/quarantine"), { recursive: true });
}
