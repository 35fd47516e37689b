/** The node that all stories begin on, and the publisher whose builds it is given: real bundles, real signatures. */
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { type Dispatcher, MockAgent } from "undici";
import type { PreparedBuild } from "../../agent/core/ports.ts";
import { linkDurably } from "../../agent/effects/durable.ts";
import { raiseFloor } from "../../agent/effects/floor.ts";
import { layoutOf } from "../../agent/effects/layout.ts";
import { placeRelease } from "../../agent/effects/place-release.ts";
import { makeLayout } from "../../agent/effects/recover.ts";
import { refreshTrust } from "../../agent/effects/trust/refresh.ts";
import { makeBundle } from "../../cli/bundle/make.ts";
import { type Platform, releaseName } from "../../protocol/build.ts";
import { targetName } from "../../protocol/trust.ts";
import { METADATA_URL, NOW, Simulator, sha256 } from "../trust/simulator.ts";
import { temporaryDirectory } from "./place.ts";
import { syncDisk } from "./sync-disk.ts";
import { type Entry, readTree, type Tree } from "./tree.ts";

export const PLATFORM: Platform = "linux-x64";

/** Who downloads asks here; nothing leaves the process. */
export const BUNDLES_ORIGIN = "http://bundles";

export type Made = PreparedBuild & { readonly bundle: Buffer; readonly link: string };

export type Fixture = {
  /** `dist` names A, `dist.bak` names Z, and Y lies about. */
  readonly base: Tree;
  readonly y: Made;
  readonly z: Made;
  readonly a: Made;
  readonly b: Made;
  /** What an update goes to when all else is over. */
  readonly c: Made;
  readonly publisher: Simulator;
  readonly pinnedRoot: Buffer;
  readonly dispatcher: Dispatcher;
};

export async function makeFixture(): Promise<Fixture> {
  using place = temporaryDirectory("fixture");
  const made = (version: string) => makeBuild(place.path, version);
  const [y, z, a] = [await made("0.8.0"), await made("0.9.0"), await made("1.0.0")];
  const [b, c] = [await made("1.1.0"), await made("1.2.0")];
  const publisher = new Simulator();
  const pinnedRoot = publisher.pinnedRoot;
  const home = join(place.path, "home");
  const layout = layoutOf(home);
  await mkdir(home);
  await makeLayout(syncDisk, layout);
  for (const { bundle, build } of [y, z, a]) {
    const archivePath = join(place.path, "archive");
    await writeFile(archivePath, bundle);
    const placed = await placeRelease({
      disk: syncDisk,
      layout,
      archivePath,
      expected: build,
      platform: PLATFORM,
    });
    if (!placed.ok) throw new Error(placed.error.message);
  }
  await linkDurably(syncDisk, a.link, layout.dist);
  await linkDurably(syncDisk, z.link, layout.backup);
  await raiseFloor(syncDisk, layout, y.build.version);
  await refreshTrust({
    disk: syncDisk,
    stateDir: layout.state,
    pinnedRoot,
    metadataUrl: METADATA_URL,
    fetch: publisher.fetch,
    now: () => NOW,
    builtAt: 0,
    timeoutMs: 5_000,
  });
  for (const each of [b, c]) sign(publisher, each);
  publisher.publish();
  return { base: readTree(home), y, z, a, b, c, publisher, pinnedRoot, dispatcher: serve([b, c]) };
}

/** A fixture as bytes, for another process. */
export function packFixture(fixture: Fixture): Buffer {
  const { publisher, dispatcher: _, ...rest } = fixture;
  return serialize({ ...rest, files: publisher.files });
}

export function unpackFixture(bytes: Buffer): Fixture {
  const { files, pinnedRoot, ...rest } = deserialize(bytes) as Omit<Fixture, "publisher" | "dispatcher"> & {
    files: Map<string, Uint8Array>;
  };
  const publisher = new Simulator();
  publisher.files.clear();
  for (const [name, text] of files) publisher.files.set(name, Buffer.from(text));
  const made = ({ bundle, ...more }: Made): Made => ({ ...more, bundle: Buffer.from(bundle) });
  const [b, c] = [made(rest.b), made(rest.c)];
  const base = new Map([...rest.base].map(([path, entry]) => [path, withBuffer(entry)]));
  const all = { ...rest, base, y: made(rest.y), z: made(rest.z), a: made(rest.a), b, c };
  return { ...all, publisher, pinnedRoot: Buffer.from(pinnedRoot), dispatcher: serve([b, c]) };
}

const withBuffer = (entry: Entry): Entry =>
  entry.kind === "file" ? { ...entry, data: Buffer.from(entry.data) } : entry;

/** A tree with all that a bundle may hold: files, programs, links, and directories in directories. */
async function makeBuild(dir: string, version: string): Promise<Made> {
  const tree = join(dir, `tree-${version}`);
  await mkdir(join(tree, "share/words"), { recursive: true });
  await writeFile(join(tree, "entry.mjs"), `console.log(${JSON.stringify(version)});\n`, { mode: 0o644 });
  await writeFile(join(tree, "tool"), "#!/bin/sh\nexit 0\n", { mode: 0o755 });
  await writeFile(join(tree, "share/words/list"), `${version}\n`.repeat(40), { mode: 0o644 });
  await symlink("share/words/list", join(tree, "words"));
  const packed = await makeBundle({
    dir: tree,
    mode: { kind: "library", entry: "entry.mjs" },
    version,
    platform: PLATFORM,
    out: join(dir, `${version}.tar.zst`),
    env: {},
    now: () => new Date(0),
  });
  if (!packed.ok) throw new Error(packed.error.message);
  const { versionJson } = packed.value;
  const build = { version, buildHash: versionJson.buildHash };
  const bundle = await readFile(packed.value.file);
  return { build, versionJson, minVersion: "0.9.0", bundle, link: `releases/${releaseName(build)}` };
}

function sign(publisher: Simulator, { build, versionJson, minVersion, bundle }: Made): void {
  const { platform, engines, protocol } = versionJson;
  const entry = {
    length: bundle.length,
    hashes: { sha256: sha256(bundle) },
    custom: { ...build, platform, engines, protocol, ...(minVersion === null ? {} : { minVersion }) },
  };
  const { targets } = publisher.targets;
  publisher.targets = {
    ...publisher.targets,
    targets: { ...targets, [targetName(build, platform)]: entry },
  };
}

/** Answers for the bundles, whole or from where a download goes on. */
function serve(builds: readonly Made[]): Dispatcher {
  const agent = new MockAgent();
  agent.disableNetConnect();
  for (const { bundle } of builds) {
    const etag = `"${sha256(bundle)}"`;
    agent
      .get(BUNDLES_ORIGIN)
      .intercept({ path: `/${sha256(bundle)}`, method: "GET" })
      .reply(({ headers }) => {
        const range = /^bytes=(\d+)-$/.exec(
          String(new Headers(headers as Record<string, string>).get("range") ?? ""),
        );
        const from = range === null ? 0 : Number(range[1]);
        const rest = bundle.subarray(from);
        const about = { etag, "content-length": String(rest.length) };
        if (from === 0) return { statusCode: 200, data: rest, responseOptions: { headers: about } };
        const part = { "content-range": `bytes ${from}-${bundle.length - 1}/${bundle.length}` };
        return { statusCode: 206, data: rest, responseOptions: { headers: { ...about, ...part } } };
      })
      .persist();
  }
  return agent;
}
