/**
 * `npm run build`: bundles the agent, the coordinator and `baton` into `build/`. A program whose sources have not
 * changed since it was built is left as it is.
 */
import { createHash } from "node:crypto";
import { access, cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildProgram } from "./program.ts";
import { DASHBOARD_ROOMS, TARGETS, type Target } from "./targets.ts";

const ROOT = join(import.meta.dirname, "../..");

export type BuiltProgram = {
  readonly name: Target["name"];
  /** The directory with everything that the program needs. */
  readonly dir: string;
  readonly file: string;
  /** False when it was up to date. */
  readonly fresh: boolean;
};

/** Builds the programs of these names, all by default, into `build/NAME/`. */
export async function build(
  names: readonly Target["name"][] = TARGETS.map(({ name }) => name),
  root = ROOT,
): Promise<BuiltProgram[]> {
  const built: BuiltProgram[] = [];
  for (const target of TARGETS) if (names.includes(target.name)) built.push(await buildTarget(target, root));
  const coordinator = built.find(({ name }) => name === "coordinator");
  if (coordinator !== undefined) await addDashboard(root, coordinator);
  return built;
}

/** The dashboard is part of the coordinator: built on its own, since it takes longest, and put beside the program. */
async function addDashboard(root: string, { dir, fresh }: BuiltProgram): Promise<void> {
  const outDir = join(root, "build/dashboard");
  const changed = await unlessFresh(
    root,
    "dashboard",
    DASHBOARD_ROOMS,
    join(outDir, "index.html"),
    async () => {
      // Loaded here alone: whoever needs none of it does not wait for it.
      const { buildDashboard } = await import("./dashboard.ts");
      await buildDashboard(root, outDir);
    },
  );
  const beside = join(dir, "dashboard");
  if (!changed && !fresh && (await isThere(join(beside, "index.html")))) return;
  await rm(beside, { recursive: true, force: true });
  await cp(outDir, beside, { recursive: true });
}

/** Does `work` when the inputs are others than they were, or `file` is gone. Answers whether it did. */
async function unlessFresh(
  root: string,
  name: string,
  rooms: readonly string[],
  file: string,
  work: () => Promise<unknown>,
): Promise<boolean> {
  const stamp = join(root, "build/.inputs", name);
  const inputs = await hashInputs(root, [...rooms, "packaging/bundle", "package-lock.json"]);
  if ((await readIfThere(stamp)) === inputs && (await isThere(file))) return false;
  await rm(stamp, { force: true });
  await work();
  await mkdir(join(root, "build/.inputs"), { recursive: true });
  await writeFile(stamp, inputs);
  return true;
}

async function buildTarget({ name, main, rooms }: Target, root: string): Promise<BuiltProgram> {
  const dir = join(root, "build", name);
  const file = join(dir, `${name}.mjs`);
  const fresh = await unlessFresh(root, name, rooms, file, () =>
    buildProgram({ input: join(root, main), outDir: dir, name }),
  );
  return { name, dir, file, fresh };
}

/** One hash over names and contents of files and of everything in directories. */
async function hashInputs(root: string, paths: readonly string[]): Promise<string> {
  const hash = createHash("sha256").update(process.version);
  for (const path of paths) {
    const inside = await readdir(join(root, path), { recursive: true, withFileTypes: true }).catch(
      notADirectory,
    );
    const files = inside
      ?.filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    for (const file of (files ?? [join(root, path)]).sort()) {
      hash
        .update(`${file.slice(root.length)}\0`)
        .update(await readFile(file))
        .update("\0");
    }
  }
  return hash.digest("hex");
}

function notADirectory(cause: unknown): undefined {
  if (cause instanceof Error && "code" in cause && cause.code === "ENOTDIR") return undefined;
  throw cause;
}

const readIfThere = (path: string): Promise<string | undefined> =>
  readFile(path, "utf8").catch(() => undefined);

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

if (import.meta.main) {
  for (const { name, file, fresh } of await build()) {
    console.error(`${name.padEnd(12)}${fresh ? "built" : "up to date"}  ${file.slice(ROOT.length + 1)}`);
  }
}
