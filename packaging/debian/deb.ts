/** Lays out a tree as a Debian package and has `dpkg-deb` pack it. No root is needed: every file belongs to root in the archive. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, copyFile, cp, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

const run = promisify(execFile);

/** One thing in the package: a path without the leading slash, where it comes from, and its mode. */
export type Entry =
  | { readonly path: string; readonly from: string; readonly mode?: number }
  | { readonly path: string; readonly text: string; readonly mode?: number }
  | { readonly path: string; readonly tree: string };

export type Deb = {
  readonly name: string;
  readonly version: string;
  /** Debian's name of the architecture. */
  readonly arch: string;
  /** Folder with `control` and the maintainer scripts. */
  readonly scripts: string;
  readonly entries: readonly Entry[];
};

/** `small` for what is shipped; `quick`, about ten times as fast and a third larger, for what is thrown away. */
export type Compression = "small" | "quick";

/** Debian's own checker knows no package with zstd. */
const DPKG_OPTIONS = { small: ["-Zxz", "-z1"], quick: ["-Zgzip", "-z1"] } as const;

/** Writes `<out>/<name>_<version>_<arch>.deb` and returns its path. The folder `work` is made anew and removed. */
export async function buildDeb(
  deb: Deb,
  out: string,
  work: string,
  compression: Compression = "small",
): Promise<string> {
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  for (const entry of deb.entries) await lay(join(work, entry.path), entry);
  const files = await listFiles(work);
  await mkdir(join(work, "DEBIAN"));
  await writeMetadata(deb, work, files);
  await settleModes(work);
  const file = join(out, `${deb.name}_${deb.version}_${deb.arch}.deb`);
  await mkdir(out, { recursive: true });
  await run("dpkg-deb", ["--root-owner-group", ...DPKG_OPTIONS[compression], "--build", work, file]);
  await rm(work, { recursive: true, force: true });
  return file;
}

/** Debian's way of compressing documentation: no name and no time in the header. */
export const gzipped = (text: string | Buffer): Buffer => gzipSync(text, { level: 9 });

async function lay(target: string, entry: Entry): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  if ("tree" in entry) return await cp(entry.tree, target, { recursive: true });
  if ("from" in entry) await copyFile(entry.from, target);
  else await writeFile(target, entry.text);
  await chmod(target, entry.mode ?? 0o644);
}

async function writeMetadata(deb: Deb, work: string, files: readonly string[]): Promise<void> {
  const control = join(work, "DEBIAN");
  let bytes = 0;
  let sums = "";
  for (const file of files) {
    const content = await readFile(join(work, file));
    bytes += content.length;
    sums += `${createHash("md5").update(content).digest("hex")}  ${file}\n`;
  }
  await writeFile(join(control, "md5sums"), sums);
  const conffiles = files.filter((file) => file.startsWith("etc/"));
  if (conffiles.length > 0)
    await writeFile(join(control, "conffiles"), conffiles.map((file) => `/${file}\n`).join(""));
  for (const name of await readdir(deb.scripts)) {
    const text = await readFile(join(deb.scripts, name), "utf8");
    const filled = text
      .replaceAll("@VERSION@", deb.version)
      .replaceAll("@ARCH@", deb.arch)
      .replaceAll("@SIZE@", String(Math.ceil(bytes / 1024)));
    await writeFile(join(control, name), filled);
    await chmod(join(control, name), name === "control" ? 0o644 : 0o755);
  }
}

async function listFiles(dir: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) found.push(join(entry.parentPath, entry.name).slice(dir.length + 1));
  }
  return found.sort();
}

/** Folders 0755; files 0644 or, when anybody may execute them, 0755: whatever the umask was. */
async function settleModes(dir: string): Promise<void> {
  await chmod(dir, 0o755);
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) await chmod(path, 0o755);
    else if (entry.isFile()) await chmod(path, ((await stat(path)).mode & 0o111) === 0 ? 0o644 : 0o755);
  }
}
