/**
 * The real guard, run by the real shell in a real directory, as a list of effects: each command of it that changes the
 * disk is a crash point like any of the agent's. What it does depends on the directory alone, so each is asked once.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { isAbsolute, join, normalize, relative } from "node:path";
import type { Disk } from "../../agent/effects/disk.ts";
import { fsyncDir } from "../../agent/effects/durable.ts";
import type { Effect } from "./effect.ts";
import { temporaryDirectory } from "./place.ts";
import { digest, readTree, type Tree, writeTree } from "./tree.ts";
import { Unsynced } from "./unsynced.ts";

export type GuardCommand = "start" | "stop";

/** A disk that fails the guard: at its nth command, and then again or from then on. */
export type GuardFault = { readonly nth: number; readonly lasting: boolean };

/** `commands`: how many of those it ran that might have changed the disk, whether they did or not. */
export type GuardRun = { readonly effects: readonly Effect[]; readonly commands: number };

export type Guard = (tree: Tree, command: GuardCommand, fault?: GuardFault | null) => GuardRun;

/** A guard with this text. */
export function createGuard(text: string): Guard {
  const known = new Map<string, GuardRun>();
  return (tree, command, fault = null) => {
    if (!tree.has("state/trial")) return { effects: [], commands: 0 };
    const seen = new Map([...tree].filter(([path]) => isGuards(path)));
    const key = `${command} ${JSON.stringify(fault)} ${digest(seen)}`;
    let run = known.get(key);
    if (run === undefined) {
      run = runIt(text, seen, command, fault);
      known.set(key, run);
    }
    return run;
  };
}

/** What the guard may look at. Releases are known to it by their `.complete`. */
const isGuards = (path: string): boolean =>
  /^(dist|state|state\/(trial|quarantine|verdict)(\/.*)?|releases(\/[^/]*(\/\.complete)?)?)$/.test(path);

/** Every command that the guard can change the disk with. Each counts itself, and tells its words once it has succeeded. */
const COMMANDS = ["rm", "mv", "ln", "mkdir", "sync"];

const TELLING = (told: string, path: string, fault: GuardFault | null): string => `#!/bin/sh
PATH='${path}'
command=\${0##*/}
echo >>'${told}-count'
count=$(wc -l <'${told}-count')
if [ "$count" ${fault?.lasting ? "-ge" : "-eq"} ${fault?.nth ?? 0} ]; then
  echo "$command: the disk fails" >&2
  exit 1
fi
"$command" "$@" || exit $?
{ printf '%s\\n' "$command" "$@"; echo; } >>'${told}'
`;

function runIt(text: string, tree: Tree, command: GuardCommand, fault: GuardFault | null): GuardRun {
  using place = temporaryDirectory("guard");
  const state = join(place.path, "state-dir");
  const bin = join(place.path, "bin");
  const told = join(place.path, "told");
  const guard = join(place.path, "agent-guard");
  for (const dir of [state, bin, join(place.path, "run")]) fs.mkdirSync(dir);
  for (const file of [told, `${told}-count`]) fs.writeFileSync(file, "");
  fs.writeFileSync(guard, text);
  const path = process.env.PATH ?? "/usr/bin:/bin";
  fs.writeFileSync(join(place.path, "telling"), TELLING(told, path, fault), { mode: 0o755 });
  for (const name of COMMANDS) fs.symlinkSync(join(place.path, "telling"), join(bin, name));
  writeTree(tree, state);
  const ran = spawnSync("sh", [guard, command], {
    env: {
      PATH: `${bin}:${path}`,
      BATON_STATE_DIR: state,
      BATON_RUN_DIR: join(place.path, "run"),
      MAINPID: "1",
    },
    encoding: "utf8",
  });
  if (ran.status !== 0 && fault === null)
    throw new Error(`the guard ended with ${ran.status}: ${ran.stderr}`);
  const said = fs.readFileSync(told, "utf8").split("\n\n").filter(Boolean);
  const effects = said.flatMap((words) => effectsOf(words.split("\n"), state));
  const commands = fs.readFileSync(`${told}-count`).length;
  return { effects: whatHappened(effects, tree, readTree(state)), commands };
}

/** `mv -fT -- a b` and the like, as the system calls that they come to. */
function effectsOf([command, ...words]: string[], state: string): Effect[] {
  const said = words.slice(words.indexOf("--") + 1);
  const [first = "", second = ""] = said.map((path) => below(path, state));
  if (command === "rm") return said.map((path): Effect => ({ kind: "unlink", path: below(path, state) }));
  if (command === "mv") return [{ kind: "rename", from: first, path: second }];
  if (command === "ln") return [{ kind: "symlink", target: said[0] ?? "", path: second }];
  if (command === "mkdir") return [{ kind: "mkdir", path: below(words.at(-1) ?? "", state), mode: 0o755 }];
  return said.map((path): Effect => ({ kind: "fsync-dir", path: below(path, state) }));
}

const below = (path: string, state: string): string => {
  const plain = normalize(isAbsolute(path) ? relative(state, path) : path);
  return plain === "." ? "" : plain;
};

/** Less what `rm -f` did not find. What is left must be all that the guard did. */
function whatHappened(told: readonly Effect[], before: Tree, after: Tree): readonly Effect[] {
  const disk = Unsynced.of(before);
  const effects = told.filter((effect) => {
    if (effect.kind === "unlink" && !disk.tree.has(effect.path)) return false;
    disk.apply(effect);
    return true;
  });
  if (digest(disk.tree) === digest(after)) return effects;
  throw new Error(`the guard did something that it did not tell: ${JSON.stringify(effects)}`);
}

/** Does to a real disk what the guard does. */
export async function perform(disk: Disk, dir: string, effect: Effect): Promise<void> {
  const at = join(dir, effect.path);
  if (effect.kind === "unlink") await disk.unlink(at);
  else if (effect.kind === "rename") await disk.rename(join(dir, effect.from), at);
  else if (effect.kind === "symlink") await disk.symlink(effect.target, at);
  else if (effect.kind === "mkdir") await disk.mkdir(at, effect.mode);
  else if (effect.kind === "fsync-dir") await fsyncDir(disk, at);
  else throw new Error(`the guard does not ${effect.kind}`);
}
