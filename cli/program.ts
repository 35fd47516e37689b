import { Command } from "commander";
import { groupsCommand } from "./commands/groups.ts";
import { jobsCommand } from "./commands/jobs.ts";
import { leaseCommand } from "./commands/lease.ts";
import { nodesCommand } from "./commands/nodes.ts";
import { rolloutCommand } from "./commands/rollout.ts";
import { tokensCommand } from "./commands/tokens.ts";
import { alertsCommand, auditCommand, releasesCommand } from "./commands/watch.ts";
import { reportFailure } from "./failure.ts";
import type { World } from "./world.ts";

/** `baton` with all its commands. `local` are those that work on this machine's files and ask no coordinator. */
export function createProgram(world: World, version: string, local: readonly Command[] = []): Command {
  const program = new Command("baton")
    .description("Keeps a fleet of daemons up to date: publish releases, roll them out, watch.")
    .version(version)
    // Behind a command, `--version` is that command's: `baton bundle --version 1.2.0`.
    .enablePositionalOptions()
    .showHelpAfterError("(say --help for how it is used)")
    .addHelpText("after", HELP);
  for (const command of [
    ...local,
    releasesCommand(world),
    rolloutCommand(world),
    nodesCommand(world),
    groupsCommand(world),
    leaseCommand(world),
    jobsCommand(world),
    alertsCommand(world),
    auditCommand(world),
    tokensCommand(world),
  ]) {
    program.addCommand(command);
  }
  for (const command of everyCommand(program)) {
    command.exitOverride().configureOutput({
      writeOut: (text) => world.out.write(text),
      writeErr: (text) => world.err.write(text),
      outputError: (text, write) => write(text),
    });
  }
  return program;
}

/** Runs the command line and answers the exit status; nothing is thrown. */
export async function run(program: Command, world: World, argv: readonly string[]): Promise<number> {
  try {
    await program.parseAsync([...argv], { from: "user" });
    return 0;
  } catch (error) {
    return reportFailure(world, error, argv.includes("--json"));
  }
}

const everyCommand = (command: Command): readonly Command[] => [
  command,
  ...command.commands.flatMap((child) => everyCommand(child as Command)),
];

const HELP = `
The coordinator is named by --url, BATON_URL, or url in ~/.config/baton/config.toml; the token by BATON_TOKEN_FILE,
BATON_TOKEN, or token_file there. Secrets are never taken from the command line.

Exit status: 0 done · 1 error · 2 wrong usage · 3 halted or failed · 4 timed out · 5 conflict with what is going on`;
