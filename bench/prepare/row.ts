import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildProgram } from "../../packaging/bundle/program.ts";
import { alternate } from "../alternate.ts";
import type { Row, World } from "../row.ts";
import { spreadOf } from "../spread.ts";
import { startFleet } from "../stage.ts";
import type { Answer, Task } from "./agent.ts";
import { ENTRY, writeTree } from "./tree.ts";

const FILES = 200;
const PACKED_BYTES = 50_000_000;
const TURNS = 9;

/**
 * Preparing by the agent's own code, over HTTP from a real coordinator: refreshing trust from the pinned root,
 * downloading, verifying, unpacking, fsync of every file and directory, sealing. What the build's own self-test takes
 * is the build's. By hand there is no trust, no download that could be resumed, and no check of what is in there.
 */
export const prepareRow: Row = {
  names: ["prepare"],
  seconds: 60,
  waits: false,
  measure: async (world) => {
    const target = await publish(world);
    const program = await buildProgram({
      input: join(import.meta.dirname, "agent.ts"),
      outDir: join(world.dir, "program"),
      name: "agent",
    });
    const { a, b } = await alternate(
      TURNS,
      () => byAgent(program, world.dir, target),
      () => byHand(world.dir, target),
    );
    return [
      {
        name: "prepare",
        what: `fetch, verify, unpack with fsync, without the self-test: ${PACKED_BYTES / 1e6} MB, ${FILES} files`,
        beside: "`curl | tar --zstd`, sha256, fsync of every file",
        unit: "ms",
        value: spreadOf(a),
        peer: spreadOf(b),
        bound: 1.5,
        better: "lower",
      },
    ];
  },
};

type Target = Omit<Task, "stateDir"> & { readonly bundleUrl: string; readonly sha256: string };

async function publish(world: World): Promise<Target> {
  const { dir, say } = world;
  const fleet = await startFleet(world, {});
  const tree = join(dir, "tree");
  await writeTree(tree, FILES, PACKED_BYTES);
  const file = join(dir, "bundle.tar.zst");
  const made = await fleet.baton([
    "bundle",
    tree,
    "--library",
    ENTRY,
    "--version",
    "1.0.0",
    "--out",
    file,
    "--json",
  ]);
  const { build, sha256, bytes, versionJson } = JSON.parse(made.out);
  say(`a bundle of ${(bytes / 1e6).toFixed(1)} MB is published`);
  await fleet.baton(["publish", file]);
  await rm(tree, { recursive: true });
  const rootFile = join(dir, "root.json");
  await writeFile(rootFile, await (await fetch(`${fleet.url}/tuf/metadata/1.root.json`)).text());
  const name = `${sha256}.${versionJson.platform}-${build.buildHash.slice(0, 12)}.tar.zst`;
  const bundleUrl = `${fleet.url}/tuf/targets/${build.version}/${name}`;
  return { url: fleet.url, rootFile, build, bundleUrl, sha256 };
}

/** In a new process each time, since an agent prepares once and then makes room for what it prepared. */
async function byAgent(program: string, dir: string, target: Target): Promise<number> {
  const stateDir = join(dir, "state");
  await mkdir(stateDir);
  const child = fork(program, [JSON.stringify({ ...target, stateDir } satisfies Task & Target)]);
  const ended = once(child, "exit");
  await once(child, "message");
  await settleDisk(dir);
  child.send("go");
  const [said] = (await once(child, "message")) as [Answer];
  await ended;
  if ("fault" in said) throw new Error(said.fault);
  await rm(stateDir, { recursive: true });
  return said.tookMs;
}

async function byHand(dir: string, { bundleUrl, sha256 }: Target): Promise<number> {
  const into = join(dir, "by-hand");
  await settleDisk(dir);
  const began = performance.now();
  await run(join(import.meta.dirname, "by-hand.sh"), [bundleUrl, sha256, into]);
  const tookMs = performance.now() - began;
  await rm(into, { recursive: true });
  return tookMs;
}

/** What the turn before has left to be written is not this one's. */
const settleDisk = (dir: string): Promise<void> => run("sync", ["-f", dir]);

async function run(file: string, args: readonly string[]): Promise<void> {
  const child = spawn(file, args, { stdio: ["ignore", "ignore", "inherit"] });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`${file} ended with ${code}; it needs curl, tar and zstd.`);
}
