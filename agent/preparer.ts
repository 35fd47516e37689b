/**
 * Preparing builds on this machine: trust, download, self-test put together. Loaded with the first preparation,
 * since it brings the agent's largest libraries, and nothing of it is kept open between two.
 */
import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Dispatcher } from "undici";
import type { VersionJson } from "../protocol/build.ts";
import type { Desired } from "../protocol/frames.ts";
import { PROTOCOL } from "../protocol/frames.ts";
import { type Fault, ok, type Result } from "../protocol/result.ts";
import type { DurationMs } from "../protocol/time.ts";
import { TUF_METADATA_PATH, TUF_TARGETS_PATH, targetUrlPath } from "../protocol/trust.ts";
import { askAll } from "./ask-all.ts";
import type { Preparer } from "./core/ports.ts";
import { realClock } from "./effects/clock.ts";
import type { Disk } from "./effects/disk.ts";
import { downloadBundle, removeDownload } from "./effects/download.ts";
import type { Layout } from "./effects/layout.ts";
import type { Log } from "./effects/log.ts";
import { createPreparer as assemble, type PrepareParts } from "./effects/prepare.ts";
import { fetchWith } from "./effects/trust/fetch.ts";
import { refreshTrust } from "./effects/trust/refresh.ts";
import { resolveBundle, type SignedBundle } from "./effects/trust/releases.ts";
import type { Running } from "./running.ts";
import { type Addresses, createAddresses } from "./session/addresses.ts";
import type { Network } from "./session/network.ts";
import { workloadEnvironment } from "./workload/environment.ts";
import { runHook } from "./workload/run-hook.ts";

export type NodePreparerOptions = {
  readonly disk: Disk;
  readonly layout: Layout;
  readonly running: Running;
  readonly pinnedRoot: Uint8Array;
  readonly addresses: Addresses;
  /** Asked before the coordinators, in their order: any web server that has what is below `/tuf/`. */
  readonly mirrors?: readonly string[];
  readonly network: Network;
  readonly downloadTimeoutMs: DurationMs;
  readonly selfTestTimeoutMs: DurationMs;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly log: Log;
};

const METADATA_TIMEOUT_MS: DurationMs = 30_000;
/** One that brings nothing is left for the next, where there is one. */
const TRIES_IN_VAIN = 3;

/** Prepares with this machine's disk, network and clock. The connections live as long as one preparation. */
export function createNodePreparer(options: NodePreparerOptions): Preparer {
  return {
    prepare: async (desired, how) => {
      const dispatcher = await options.network.openDispatcher();
      try {
        const { mirrors = [], addresses } = options;
        const [first, ...rest] = [...mirrors, ...addresses.all()];
        const sources =
          mirrors.length === 0 || first === undefined ? addresses : createAddresses([first, ...rest]);
        return await assemble(await partsOf({ ...options, addresses: sources }, dispatcher)).prepare(
          desired,
          how,
        );
      } finally {
        await dispatcher.destroy();
      }
    },
  };
}

async function partsOf(options: NodePreparerOptions, dispatcher: Dispatcher): Promise<PrepareParts> {
  const { disk, layout, running, addresses } = options;
  return {
    disk,
    layout,
    host: {
      platform: running.platform,
      nodeVersion: await packagedNodeVersion(options.env),
      protocol: PROTOCOL,
    },
    running: running.build.version,
    resolve: (desired, signal) => resolveSigned(options, dispatcher, desired, signal),
    download: ({ name, sha256, bytes }, how) =>
      askAll(addresses, isOfThisNode, (server) =>
        downloadBundle({
          disk,
          dir: layout.download,
          url: `${server}${TUF_TARGETS_PATH}/${targetUrlPath(name, sha256)}`,
          sha256,
          bytes,
          dispatcher,
          timeoutMs: options.downloadTimeoutMs,
          ...(addresses.all().length > 1 ? { triesInVain: TRIES_IN_VAIN } : {}),
          uptime: () => realClock.uptime(),
          wait: (ms, signal) => sleep(ms, undefined, { signal }),
          signal: how.signal,
          progress: (done) => how.progress(done),
        }),
      ),
    removeDownload: ({ sha256 }) => removeDownload(disk, layout.download, sha256),
    selfTest: createSelfTester(options),
    random: Math.random,
    wait: async (ms, signal) => {
      await sleep(ms, undefined, { signal }).catch((cause: unknown) => {
        if (!signal.aborted) throw cause;
      });
    },
  };
}

/** The signed bundle of what is ordered, from the first coordinator that has it. */
const resolveSigned = (
  options: NodePreparerOptions,
  dispatcher: Dispatcher,
  desired: Desired,
  signal: AbortSignal,
): Promise<Result<SignedBundle, Fault>> =>
  askAll(
    options.addresses,
    ({ code }) => signal.aborted || code === "bad-root",
    (server) => resolveAt(server, options, dispatcher, desired, signal),
  );

async function resolveAt(
  server: string,
  { disk, layout, running, pinnedRoot, log }: NodePreparerOptions,
  dispatcher: Dispatcher,
  desired: Desired,
  signal: AbortSignal,
): Promise<Result<SignedBundle, Fault>> {
  const trusted = await refreshTrust({
    disk,
    stateDir: layout.state,
    pinnedRoot,
    now: () => realClock.now(),
    builtAt: running.versionJson === null ? 0 : Date.parse(running.versionJson.builtAt) || 0,
    metadataUrl: `${server}${TUF_METADATA_PATH}`,
    fetch: fetchWith(dispatcher),
    timeoutMs: METADATA_TIMEOUT_MS,
    signal,
  });
  if (!trusted.ok) return trusted;
  for (const note of trusted.value.notes) log.warn({ source: "trust" }, note);
  const { build } = desired;
  if (build === null) throw new Error("an update names its build");
  return resolveBundle(trusted.value.bundles, build, running.platform);
}

/** What no other coordinator would mend: the disk, an end that was asked for, and that all of the time is gone. */
const isOfThisNode = ({ code }: Fault): boolean => /^(disk-full|cancelled|timed-out)$/.test(code);

/** Starts a build's `--self-test` as this user, with these settings, and gives it so long. */
export const createSelfTester =
  ({
    env,
    selfTestTimeoutMs,
  }: Pick<NodePreparerOptions, "env" | "selfTestTimeoutMs">): PrepareParts["selfTest"] =>
  async (release, { entry }, how): Promise<Result<void, Fault>> => {
    const runtime = await runtimeOf(release, env);
    const run = await runHook(
      {
        name: "self-test",
        command: [runtime, join(release, entry), "--self-test"],
        cwd: release,
        env: workloadEnvironment(env, release, runtime),
        limitMs: selfTestTimeoutMs,
      },
      (text) => how.line(text),
    );
    if (run.ok) return ok(undefined);
    const code = run.error.code === "hook-timeout" ? "self-test-timeout" : "self-test-failed";
    return {
      ok: false,
      error: {
        ...run.error,
        code,
        message: run.error.message.replace("The self-test hook", "Its --self-test"),
      },
    };
  };

/** The Node that the launcher would start a release with: its own, else the package's, else the one that runs. */
async function runtimeOf(release: string, env: Readonly<NodeJS.ProcessEnv>): Promise<string> {
  const own = join(release, "bin/node");
  if (await canRun(own)) return own;
  return packagedNode(env);
}

async function packagedNode(env: Readonly<NodeJS.ProcessEnv>): Promise<string> {
  const packaged = env.BATON_NODE ?? "/usr/lib/baton/node";
  return (await canRun(packaged)) ? packaged : process.execPath;
}

/** Version of the Node that runs builds which bring none. */
async function packagedNodeVersion(
  env: Readonly<NodeJS.ProcessEnv>,
): Promise<VersionJson["engines"]["node"]> {
  const node = await packagedNode(env);
  if (node === process.execPath) return process.versions.node;
  const asked = await runHook(
    { name: "version", command: [node, "--version"], cwd: "/", env: {}, limitMs: 10_000 },
    () => undefined,
  );
  return (asked.ok ? asked.value[0] : undefined)?.replace(/^v/, "") ?? process.versions.node;
}

const canRun = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
