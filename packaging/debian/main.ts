/**
 * `npm run package`: builds both Debian packages for this machine's architecture into `build/debian/` and prints
 * their paths. Needs `dpkg-deb` and `strip`; when `lintian` is installed, its errors fail the build.
 */
import { execFile } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { defaultConfigText } from "../../agent/config.ts";
import { AGENT_ENTRY } from "../../cli/bundle/make.ts";
import { packBundle } from "../../cli/bundle/pack.ts";
import { readStamp } from "../../cli/bundle/stamp.ts";
import { FaultError, type Result } from "../../protocol/result.ts";
import { coordinatorTemplate } from "../../server-stub/settings.ts";
import { build } from "../bundle/build.ts";
import { buildDeb, type Compression, type Deb } from "./deb.ts";
import { judge } from "./lintian.ts";
import { agentPackage, type Built, coordinatorPackage } from "./packages.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../..");
const OUT = join(ROOT, "build/debian");

/** Node's name of an architecture, and Debian's. */
const ARCHITECTURES = { x64: "amd64", arm64: "arm64" } as const;

export type PackageOptions = {
  /** Folder that becomes the packages' alone: what was there is removed. */
  readonly out?: string;
  /** Default: that of this source tree. */
  readonly version?: string;
  readonly compression?: Compression;
};

/** Builds the packages of the agent and of the coordinator, in this order, and returns their paths. Throws what stands in the way. */
export async function buildPackages({
  out = OUT,
  version,
  compression,
}: PackageOptions = {}): Promise<[agent: string, coordinator: string]> {
  const scratchDir = join(out, "scratch");
  await rm(out, { recursive: true, force: true });
  await mkdir(scratchDir, { recursive: true });
  const built = await buildParts(scratchDir, version);
  const pack = (deb: Deb) => buildDeb(deb, out, join(scratchDir, deb.name), compression);
  const files = await Promise.all([pack(await agentPackage(built)), pack(await coordinatorPackage(built))]);
  await rm(scratchDir, { recursive: true, force: true });
  return files;
}

async function buildParts(scratchDir: string, version?: string): Promise<Built> {
  const arch = process.arch;
  if (arch !== "x64" && arch !== "arm64")
    throw new Error(`There is no runtime for ${arch}: only for x64 and arm64.`);
  const [agent, coordinator, baton] = await build(["agent", "coordinator", "baton"]);
  if (agent === undefined || coordinator === undefined || baton === undefined)
    throw new Error("A program was not built.");
  const runtime = join(scratchDir, "node");
  const runtimePackage = join(ROOT, `node_modules/node-linux-${arch}`);
  // A service has no use for the symbols, and Debian wants none in a package.
  await run("strip", ["--strip-unneeded", "-o", runtime, join(runtimePackage, "bin/node")]);
  const asked = { dir: ROOT, env: process.env, now: () => new Date() };
  const stamp = must(await readStamp(version === undefined ? asked : { ...asked, version }));
  const seed = must(
    await packBundle({
      ...stamp,
      dir: agent.dir,
      entry: AGENT_ENTRY,
      platform: `linux-${arch}`,
      out: join(scratchDir, "seed.tar.zst"),
    }),
  );
  return {
    root: ROOT,
    // In Debian's order "~" comes before everything, as "-" does in semver's.
    version: stamp.version.replace("-", "~"),
    arch: ARCHITECTURES[arch],
    runtime,
    runtimeLicense: join(runtimePackage, "LICENSE"),
    agentDir: agent.dir,
    coordinatorDir: coordinator.dir,
    batonDir: baton.dir,
    seedBundle: seed.file,
    agentConfig: defaultConfigText(),
    coordinatorConfig: coordinatorTemplate(),
    scratch: async (name, content) => {
      const path = join(scratchDir, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
      return path;
    },
  };
}

function must<T>(result: Result<T, { code: string; message: string }>): T {
  if (!result.ok) throw new FaultError(result.error);
  return result.value;
}

if (import.meta.main) {
  const files = await buildPackages();
  for (const file of files) console.log(file);
  const verdict = await judge(files);
  console.error(verdict.summary);
  if (verdict.errors > 0) process.exitCode = 1;
}
