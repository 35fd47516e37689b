import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { packBundle } from "../../../cli/bundle/pack.ts";
import { initKeys } from "../../../cli/keys/init.ts";
import { signRequest } from "../../../cli/keys/sign.ts";
import { type BundleFile, openBundle } from "../../../cli/publish/bundle.ts";
import type { PublishApi } from "../../../cli/publish/current.ts";
import { type PublishRequest, publishRelease } from "../../../cli/publish/publish.ts";
import type { Platform } from "../../../protocol/build.ts";
import { err, ok } from "../../../protocol/result.ts";
import { type Static, type TSchema, Value } from "../../../protocol/schema.ts";
import { firstKeyRequest } from "../../../server-stub/repository/online-keys.ts";
import { Repository } from "../../../server-stub/repository/repository.ts";
import { cheapen } from "../../trust/cheap-keys.ts";
import { must } from "../../trust/publisher.ts";
import { METADATA_URL, NOW } from "../../trust/simulator.ts";

export const PASSPHRASE = "correct horse";

/**
 * A publisher with real keys and real bundles, and a coordinator's repository behind an API that answers as its
 * routes do; anew for every test. Bundles and keys are made once for all tests of a file. To be called at its top.
 */
export function usePublishing() {
  let bundlesDir = "";
  const bundles = new Map<string, string>();
  let dir = "";
  let repository: Repository;
  let uploads: string[];
  let now = NOW;

  beforeAll(async () => {
    bundlesDir = await mkdtemp(join(tmpdir(), "baton-bundles-"));
    const make = async (name: string, version: string, platform: Platform, content = name) => {
      const tree = join(bundlesDir, `${name}-tree`);
      await mkdir(tree);
      await writeFile(join(tree, "main.js"), `// ${content}\n`);
      const out = join(bundlesDir, `${name}.tar.zst`);
      const stamp = { version, builtAt: "2026-05-01T00:00:00.000Z", gitCommit: "unknown" };
      must(await packBundle({ ...stamp, dir: tree, entry: "main.js", platform, out }));
      bundles.set(name, out);
    };
    await make("1.0.0", "1.0.0", "linux-x64");
    await make("1.1.0", "1.1.0", "linux-x64");
    await make("1.1.0-arm", "1.1.0", "linux-arm64");
    await make("1.1.0-again", "1.1.0", "linux-x64", "another build");
    must(await initKeys(join(bundlesDir, "k"), PASSPHRASE));
    await cheapen(join(bundlesDir, "k"), PASSPHRASE);
  });
  afterAll(() => rm(bundlesDir, { recursive: true }));

  beforeEach(async () => {
    now = NOW;
    uploads = [];
    dir = await mkdtemp(join(tmpdir(), "baton-publish-"));
    await cp(join(bundlesDir, "k"), keys(), { recursive: true });
    repository = await openRepository();
    const request = JSON.stringify(await firstKeyRequest(join(dir, "online")));
    const { update } = must(await signRequest({ dir: keys(), passphrase: PASSPHRASE, now }, request));
    must(await repository.installTrust([update]));
  });
  afterEach(() => rm(dir, { recursive: true }));

  const openRepository = () =>
    Repository.open({ dir: join(dir, "repository"), keysDir: join(dir, "online"), now: () => now });
  const keys = () => join(dir, "k");
  const open = async (name: string): Promise<BundleFile> => must(await openBundle(bundles.get(name) ?? ""));

  /** What a node fetches. */
  const fetchFiles = async (url: string) => {
    const file = join(dir, "repository", "metadata", url.slice(METADATA_URL.length + 1));
    const bytes = await readFile(file).catch(() => null);
    return { status: bytes === null ? 404 : 200, body: Readable.from(bytes === null ? [] : [bytes]) };
  };

  /** The coordinator's API over the real repository, as its routes answer. */
  const api = (): PublishApi => ({
    call: async <S extends TSchema>({ path, method, body, answer }: Parameters<PublishApi["call"]>[0]) => {
      const value = await (async () => {
        if (path === "/v1/releases" && method === "POST") {
          const { targets, expectedTargetsVersion } = JSON.parse(JSON.stringify(body));
          return repository.publish(targets, expectedTargetsVersion);
        }
        if (path === "/v1/releases") return ok(repository.releases());
        const file = join(dir, "repository", path.replace(/^\/tuf\//, ""));
        return ok(JSON.parse(await readFile(file, "utf8")));
      })();
      if (!value.ok) return err(value.error);
      if (!Value.Check(answer, value.value)) throw new Error(`${path} answers something else`);
      return ok(value.value as Static<S>);
    },
    upload: async <S extends TSchema>(path: string, body: AsyncIterable<Uint8Array>) => {
      const sha256 = path.slice(path.lastIndexOf("/") + 1);
      uploads.push(sha256);
      const stored = await repository.upload(sha256, Readable.from(body));
      return stored.ok ? ok({ sha256, bytes: stored.value.bytes } as Static<S>) : err(stored.error);
    },
  });

  const publish = async (names: readonly string[], more: Partial<PublishRequest> = {}) =>
    publishRelease({
      keys: { dir: keys(), passphrase: PASSPHRASE },
      api: api(),
      bundles: await Promise.all(names.map(open)),
      now,
      ...more,
    });

  return {
    keys,
    open,
    fetchFiles,
    api,
    publish,
    /** The file of a bundle, by its name above. */
    file: (name: string): string => bundles.get(name) ?? "",
    get dir() {
      return dir;
    },
    get uploads() {
      return uploads;
    },
    get now() {
      return now;
    },
    set now(ms: number) {
      now = ms;
    },
    get repository() {
      return repository;
    },
    /** What a restart of the coordinator is. */
    reopen: async () => {
      repository = await openRepository();
    },
  };
}
