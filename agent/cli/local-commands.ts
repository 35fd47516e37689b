/** The commands that work on this node's files: what is needed before an agent runs. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { showBuild } from "../../protocol/build.ts";
import { FaultError } from "../../protocol/result.ts";
import { type Config, readConfig } from "../config.ts";
import { realDisk } from "../effects/disk.ts";
import { layoutOf } from "../effects/layout.ts";
import { silentLog } from "../effects/log.ts";
import { readLinkOrNull } from "../effects/placed.ts";
import { joinCoordinator } from "../join.ts";
import type { Running } from "../running.ts";
import { networkOf } from "../session/network.ts";
import { type Common, notRunning } from "./commands.ts";
import { EXIT, usage, type World } from "./world.ts";

export type InstallOptions = Common & { readonly seed?: boolean; readonly root?: string };

/**
 * `agent install FILE`. A running agent takes a kit in itself. Where none runs, a node without a `dist` gets its
 * first build here; one that has a `dist` does not: what is live changes by lease alone.
 */
export async function installCommand(
  world: World,
  running: Running,
  file: string,
  options: InstallOptions,
  byAgent: () => Promise<number>,
): Promise<number> {
  const config = await configOf(world, options);
  const layout = layoutOf(config.stateDir);
  if (options.seed !== true) {
    const away = await notRunning(world, options);
    if (away === null) return byAgent();
    const hasDist = (await readLinkOrNull(realDisk, layout.dist)) !== null;
    if (hasDist)
      throw new FaultError({ ...away, message: `${away.message} What is live changes by lease alone.` });
  }
  const { installFirst } = await import("../install-kit.ts");
  const root = options.root === undefined ? null : await readFile(options.root);
  const installed = await installFirst({
    disk: realDisk,
    file,
    from: options.seed === true ? { kind: "seed" } : { kind: "kit", root },
    layout,
    running,
    env: { ...world.env, BATON_CONFIG: config.file },
    selfTestTimeoutMs: config.update.selfTestTimeoutMs,
  });
  if (!installed.ok) throw new FaultError(installed.error);
  const { build, message } = installed.value;
  if (options.json === true) world.out(`${JSON.stringify(installed.value)}\n`);
  else world.out(`${showBuild(build)} is installed. ${message}\n`);
  return EXIT.ok;
}

export type JoinOptions = Common & {
  readonly rootFingerprint: string;
  readonly tokenFile?: string;
  readonly name: string;
  readonly insecureHttp?: boolean;
  readonly force?: boolean;
};

export async function joinCommand(world: World, url: string, options: JoinOptions): Promise<number> {
  const config = await configOf(world, options);
  const joined = await joinCoordinator({
    url,
    token: await tokenOf(world, options.tokenFile),
    rootFingerprint: options.rootFingerprint,
    name: options.name,
    insecureHttp: options.insecureHttp === true || config.allowInsecureHttp,
    force: options.force === true,
    network: networkOf(config, world.env, silentLog),
    disk: realDisk,
    stateDir: join(config.stateDir, "state"),
  });
  if (!joined.ok) throw new FaultError(joined.error);
  const { name, nodeId, group, membership, server } = joined.value;
  if (options.json === true) world.out(`${JSON.stringify(joined.value)}\n`);
  else {
    world.out(`Joined ${server} as ${name} (${nodeId}), group ${group}.\n`);
    if (membership === "pending") world.err(`An operator has to approve it: baton nodes approve ${name}\n`);
  }
  return EXIT.ok;
}

/** From a file, standard input or the environment; never from the command line, which everybody can read. */
async function tokenOf(world: World, file: string | undefined): Promise<string> {
  if (file === "-") return (await world.stdin()).trim();
  if (file !== undefined) return (await readFile(file, "utf8")).trim();
  const token = world.env.BATON_JOIN_TOKEN;
  if (token !== undefined && token !== "") return token.trim();
  throw usage(
    "There is no join token.",
    "Give it by --token-file FILE, in BATON_JOIN_TOKEN, or by --token-file - on standard input.",
  );
}

async function configOf(world: World, options: Common): Promise<Config> {
  const config = await readConfig(options.config, world.env);
  if (!config.ok) throw new FaultError(config.error);
  return config.value;
}
