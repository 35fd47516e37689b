/** `agent`: the command of who looks after one node. */
import { hostname } from "node:os";
import { text } from "node:stream/consumers";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { showBuild } from "../protocol/build.ts";
import { PRODUCT_VERSION } from "../protocol/product.ts";
import { parseProxy, showProxy } from "../protocol/proxy.ts";
import { type Fault, FaultError } from "../protocol/result.ts";
import {
  type Common,
  installByAgent,
  logs,
  rollback,
  status,
  updateNow,
  type Waiting,
} from "./cli/commands.ts";
import { doctorCommand } from "./cli/doctor.ts";
import { type InstallOptions, installCommand, type JoinOptions, joinCommand } from "./cli/local-commands.ts";
import { EXIT, reportFault, type World } from "./cli/world.ts";
import { defaultConfigText, readConfig } from "./config.ts";
import type { Running } from "./running.ts";

/** Runs a command line of this process, and answers its exit status. */
export function runCommand(argv: readonly string[], running: Running): Promise<number> {
  const interrupt = new AbortController();
  process.once("SIGINT", () => interrupt.abort());
  return runIn(
    {
      env: process.env,
      out: (said) => void process.stdout.write(said),
      err: (said) => void process.stderr.write(said),
      stdin: () => text(process.stdin),
      now: Date.now,
      interrupted: interrupt.signal,
      hostname: hostname(),
    },
    argv,
    running,
  );
}

/** Runs a command line; nothing is thrown. */
export async function runIn(world: World, argv: readonly string[], running: Running): Promise<number> {
  const ended = { status: EXIT.ok as number };
  const program = createProgram(world, running, (code) => {
    ended.status = code;
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return ended.status;
  } catch (cause) {
    if (cause instanceof CommanderError) return cause.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return reportFault(world, faultOf(cause), argv.includes("--json"));
  }
}

function faultOf(cause: unknown): Fault {
  if (cause instanceof FaultError) return cause.fault;
  const system = cause instanceof Error && "code" in cause && "syscall" in cause;
  if (system) return { code: "system", message: cause.message };
  return {
    code: "internal",
    message: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause),
    hint: "This is a mistake in baton itself. Please report it.",
  };
}

function createProgram(world: World, running: Running, done: (status: number) => void): Command {
  const program = new Command("agent")
    .description("Looks after this node's self-updating agent.")
    .version(running.dist === null ? `baton ${PRODUCT_VERSION}` : showBuild(running.build))
    .showHelpAfterError("(say --help for how it is used)")
    .addHelpText("after", HELP);
  program
    .command("run")
    .description("run the agent; the service does this")
    .option("--config <file>", CONFIG);
  asked(program, "status", "say what runs, what is kept as backup, and what an update waits for").action(
    async (options: Common) => done(await status(world, options)),
  );
  waits(asked(program, "update-now", "update now instead of at the next poll; shows progress to the end"))
    .option("--retry", "also a build that is quarantined, and although this node is held")
    .action(async (options: Waiting & { retry?: boolean }) => done(await updateNow(world, options)));
  waits(asked(program, "rollback", "go back to the build that ran before, by lease, and stay there")).action(
    async (options: Waiting) => done(await rollback(world, options)),
  );
  asked(program, "logs", "show the log of a job, the last one by default")
    .argument("[job]", "id of the job")
    .option("-f, --follow", "go on as it grows")
    .action(async (job: string | undefined, options: Common & { follow?: boolean }) =>
      done(await logs(world, options, job)),
    );
  asked(program, "install", "take in a signed kit from a file; it goes live by lease")
    .argument("<file>", "the kit, or with --seed a bundle")
    .option("--seed", "the file is the package's own bundle: give this node its first build, if it has none")
    .option("--root <file>", "the root metadata to trust, for the first build of a node that has not joined")
    .action(async (file: string, options: InstallOptions) =>
      done(await installCommand(world, running, file, options, () => installByAgent(world, options, file))),
    );
  asked(program, "join", "join a coordinator")
    .argument("<url>", "address of the coordinator")
    .requiredOption("--root-fingerprint <hex>", "SHA-256 of its root, as `baton tokens join` prints it")
    .option("--token-file <file>", "file with the join token, - for standard input (else BATON_JOIN_TOKEN)")
    .option("--name <name>", "name of this node", world.hostname)
    .option("--insecure-http", "allow plain HTTP to another machine")
    .option("--force", "join anew although this node has joined")
    .action(async (url: string, options: JoinOptions) => done(await joinCommand(world, url, options)));
  asked(program, "doctor", "look for what is wrong with this node, and say what to do").action(
    async (options: Common) => done(await doctorCommand(world, running, options)),
  );
  configCommand(program, world);
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: world.out,
      writeErr: world.err,
      outputError: (said, write) => write(said),
    });
  }
  return program;
}

const CONFIG = "the settings (BATON_CONFIG, else /etc/baton/agent.toml)";

const asked = (program: Command, name: string, description: string): Command =>
  program
    .command(name)
    .description(description)
    .option("--json", "print JSON")
    .option("--config <file>", CONFIG)
    .option("--socket <path>", "the agent's control socket, instead of what the settings say");

const waits = (command: Command): Command =>
  command.option("--no-wait", "do not wait for the end of the job").addOption(
    new Option("--timeout <seconds>", "how long to wait").default("3600").argParser((value) => {
      if (!/^[1-9]\d{0,6}$/.test(value))
        throw new InvalidArgumentError("It must be a whole number of seconds.");
      return value;
    }),
  );

function configCommand(program: Command, world: World): void {
  program
    .command("config")
    .description("check the settings and print what is in force")
    .option("--print-default", "print the file that the package ships, every default as a comment")
    .option("--json", "print JSON")
    .option("--config <file>", CONFIG)
    .action(async ({ printDefault, json, config: named }: Common & { printDefault?: boolean }) => {
      if (printDefault === true) return world.out(defaultConfigText());
      const config = await readConfig(named, world.env);
      if (!config.ok) throw new FaultError(config.error);
      const { file, proxy } = config.value;
      const shown = { ...config.value, ...(proxy === undefined ? {} : { proxy: shownProxy(proxy) }) };
      world.out(
        json === true ? `${JSON.stringify(shown)}\n` : `${file}: ok\n${JSON.stringify(shown, null, 2)}\n`,
      );
    });
}

/** Without its password. */
function shownProxy(text: string): string {
  const proxy = parseProxy(text);
  return proxy === null ? text : showProxy(proxy);
}

const HELP = `
Started with --self-test, it says in one line of JSON whether this build could run on this node, and touches nothing.
A join token is never taken from the command line.

Exit status: 0 done · 1 error · 2 wrong usage or settings · 3 failed or rolled back · 4 timed out · 5 conflict with what is going on`;
