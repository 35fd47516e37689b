/** `baton bundle`: options to a `MakeRequest`, and what was made to standard output. */
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { Platform } from "../../protocol/build.ts";
import { parse } from "../../protocol/parse.ts";
import { FaultError } from "../../protocol/result.ts";
import { type MakeRequest, makeBundle } from "./make.ts";
import type { PackedBundle } from "./pack.ts";

/** What the command needs from outside. */
export type BundleWorld = {
  /** Where the stock agent is; see `findAgentDir`. */
  readonly agentDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => Date;
  /** Of the machine that makes the bundle, for which it is made unless told otherwise. */
  readonly platform: string;
  /** The Node that runs this, for `--runtime` without a file. */
  readonly execPath: string;
  /** A line on standard output. */
  readonly print: (text: string) => void;
};

/** @param here directory of the program that runs */
export const realBundleWorld = (here: string): BundleWorld => ({
  agentDir: findAgentDir(here),
  env: process.env,
  now: () => new Date(),
  platform: `${process.platform}-${process.arch}`,
  execPath: process.execPath,
  print: (text) => void process.stdout.write(`${text}\n`),
});

/** The stock agent lies in `agent/` beside the program, as installed; or beside its directory, as built. */
export function findAgentDir(here: string): string {
  const places = ["agent", "../agent", "../build/agent"].map((place) => join(here, place));
  return places.find((place) => existsSync(join(place, "agent.mjs"))) ?? join(here, "agent");
}

type Options = {
  version?: string;
  platform?: Platform;
  library?: string;
  agent?: string;
  runtime?: string | true;
  out?: string;
  json?: true;
};

/** An expected failure leaves as a `FaultError`, for the program's one place that prints errors. */
export function bundleCommand(world: BundleWorld): Command {
  return new Command("bundle")
    .description(
      "make a bundle of a directory: with the stock agent to supervise it, or as a program of its own",
    )
    .argument(
      "<dir>",
      "what becomes dist/; has a workload.json or workload.toml at its top, unless --library",
    )
    .option("--version <version>", "default: that of its package.json, else 0.0.0-dev")
    .option("--platform <platform>", "linux-x64 or linux-arm64 (default: this machine's)", platform)
    .option(
      "--library <entry>",
      "the directory is a Node program that calls runAgent itself; <entry> starts it",
    )
    .option("--runtime [file]", "put a Node binary into it (default: the one that runs this command)")
    .option("--agent <dir>", "where the stock agent is (default: beside this command)")
    .option("--out <file>", "the archive to write (default: VERSION-PLATFORM.tar.zst here)")
    .option("--json", "print JSON")
    .action(async (dir: string, options: Options, command: Command) => {
      const made = await makeBundle(request(world, dir, options, command));
      if (!made.ok) throw new FaultError(made.error);
      world.print(command.optsWithGlobals().json === true ? JSON.stringify(made.value) : show(made.value));
    });
}

function request(world: BundleWorld, dir: string, options: Options, command: Command): MakeRequest {
  const target = options.platform ?? platform(world.platform);
  if (options.runtime === true && target !== world.platform) {
    command.error(`error: --runtime needs the Node binary's file when the bundle is for ${target}`, {
      exitCode: 2,
    });
  }
  return {
    dir,
    mode:
      options.library === undefined
        ? { kind: "workload", agentDir: options.agent ?? world.agentDir }
        : { kind: "library", entry: options.library },
    platform: target,
    env: world.env,
    now: world.now,
    ...(options.version === undefined ? {} : { version: options.version }),
    ...(options.runtime === undefined
      ? {}
      : { runtime: options.runtime === true ? world.execPath : options.runtime }),
    ...(options.out === undefined ? {} : { out: options.out }),
  };
}

function platform(text: string): Platform {
  const parsed = parse(Platform, text, "platform");
  if (parsed.ok) return parsed.value;
  throw new InvalidArgumentError("It is linux-x64 or linux-arm64.");
}

function show({ file, build, sha256, bytes, versionJson }: PackedBundle): string {
  const name = relative(process.cwd(), file);
  return [
    `${name.startsWith("..") ? file : name}`,
    `  version     ${build.version}`,
    `  buildHash   ${build.buildHash}`,
    `  platform    ${versionJson.platform}`,
    `  gitCommit   ${versionJson.gitCommit}`,
    `  size        ${showBytes(bytes)}`,
    `  sha256      ${sha256}`,
  ].join("\n");
}

const showBytes = (bytes: number): string =>
  bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
