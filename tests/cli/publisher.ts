/** A publisher with bundles, beside a real coordinator that does not trust anybody yet. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packBundle } from "../../cli/bundle/pack.ts";
import type { Build } from "../../protocol/build.ts";
import { run as runCoordinator } from "../../server-stub/cli.ts";
import { startCoordinator, type TestCoordinator } from "../server-stub/harness/coordinator.ts";
import { type Baton, baton } from "./harness.ts";

export type Publisher = {
  readonly coordinator: TestCoordinator;
  readonly env: Readonly<Record<string, string>>;
  readonly admin: Baton;
  readonly bundles: Readonly<Record<string, { readonly file: string; readonly build: Build }>>;
  /** The `coordinator` command, on its machine. */
  operate(...argv: readonly string[]): Promise<{ status: number; text: string }>;
  stop(): Promise<void>;
};

export async function startPublisher(versions: readonly string[]): Promise<Publisher> {
  const dir = await mkdtemp(join(tmpdir(), "baton-cli-"));
  const coordinator = await startCoordinator();
  const env = {
    BATON_URL: coordinator.url,
    BATON_TOKEN_FILE: join(coordinator.config.stateDir, "admin.token"),
    BATON_KEYS: join(dir, "keys"),
    BATON_PASSPHRASE: "correct horse battery",
  };
  const bundles: Record<string, { file: string; build: Build }> = {};
  for (const version of versions) bundles[version] = await makeBundle(dir, version);
  return {
    coordinator,
    env,
    admin: baton({ env }),
    bundles,
    operate: async (...argv) => {
      const lines: string[] = [];
      const say = (text: string) => void lines.push(text);
      const world = { print: say, say, becomeOwnerOf: async () => undefined };
      const status = await runCoordinator(world, ["--state-dir", coordinator.config.stateDir, ...argv]);
      return { status, text: lines.join("\n") };
    },
    stop: async () => {
      await coordinator.stop();
      await rm(dir, { recursive: true });
    },
  };
}

async function makeBundle(dir: string, version: string): Promise<{ file: string; build: Build }> {
  const tree = join(dir, `tree-${version}`);
  await mkdir(tree);
  await writeFile(join(tree, "main.js"), `// ${version}\n`);
  const out = join(dir, `${version}.tar.zst`);
  const stamp = { version, builtAt: "2026-05-01T00:00:00.000Z", gitCommit: "unknown" };
  const packed = await packBundle({ ...stamp, dir: tree, entry: "main.js", platform: "linux-x64", out });
  if (!packed.ok) throw new Error(packed.error.message);
  return { file: out, build: packed.value.build };
}
