import { Command } from "commander";
import { joinTokensCommand } from "./commands/access/join-tokens.ts";
import { tokensCommand } from "./commands/access/tokens.ts";
import { alertsCommand } from "./commands/alerts.ts";
import { auditCommand } from "./commands/audit.ts";
import { channelsCommand } from "./commands/channels.ts";
import { eventsCommand } from "./commands/events.ts";
import { groupsCommand } from "./commands/groups/command.ts";
import { jobsCommand } from "./commands/jobs.ts";
import { leaseCommand } from "./commands/lease.ts";
import { nodesCommand } from "./commands/nodes/command.ts";
import { policyCommand } from "./commands/policy/command.ts";
import { releasesCommand } from "./commands/releases.ts";
import { rolloutCommand } from "./commands/rollout/command.ts";
import { statusCommand } from "./commands/status.ts";
import { versionCommand } from "./commands/version.ts";
import { webhooksCommand } from "./commands/webhooks.ts";
import { completionCommand, hiddenCompleteCommand } from "./completion/command.ts";
import { contextCommand } from "./context/command.ts";
import { reportFailure } from "./failure.ts";
import { coordinatorOption, withHelp } from "./help.ts";
import type { World } from "./world.ts";

/** `baton` with all its commands. `local` are those that work on this machine's files, `serving` those that serve. */
export function createProgram(
  world: World,
  version: string,
  local: readonly Command[] = [],
  serving: readonly Command[] = [],
): Command {
  const program = new Command("baton")
    .description("Keeps a fleet of daemons up to date: publish releases, roll them out, watch.")
    .addOption(coordinatorOption("--context <name>"))
    .addOption(coordinatorOption("--url <address>"))
    .version(version, "-V, --version", "show which baton this is")
    // Behind a command, `--version` is that command's: `baton bundle --version 1.2.0`.
    .enablePositionalOptions()
    .showHelpAfterError("(say --help for how it is used)")
    .addHelpText("after", HELP);
  const groups: readonly (readonly [string, readonly Command[]])[] = [
    [
      "See:",
      [
        statusCommand(world),
        nodesCommand(world),
        groupsCommand(world),
        jobsCommand(world),
        alertsCommand(world),
        eventsCommand(world),
      ],
    ],
    ["Roll out:", [rolloutCommand(world), channelsCommand(world), policyCommand(world), leaseCommand(world)]],
    ["Publish:", [...local, releasesCommand(world)]],
    [
      "Administer:",
      [tokensCommand(world), joinTokensCommand(world), webhooksCommand(world), auditCommand(world)],
    ],
    [THIS, [contextCommand(world), completionCommand(world), ...serving, versionCommand(world, version)]],
  ];
  for (const [title, commands] of groups) {
    for (const command of commands) program.addCommand(command.helpGroup(title));
  }
  const help = new Command("help")
    .argument("[command]", "which one")
    .description("show how a command is used");
  program.addHelpCommand(help.helpGroup(THIS));
  program.addCommand(
    hiddenCompleteCommand(world, () => program),
    { hidden: true },
  );
  for (const command of everyCommand(program)) withHelp(world, command.exitOverride());
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

const THIS = "This command:";

const HELP = `
Which coordinator: --url, --context, BATON_URL, BATON_CONTEXT, or ~/.config/baton/config.toml (baton context --help).
The token: BATON_TOKEN_FILE, BATON_TOKEN, or the context's. Secrets are never taken from the command line.

Exit status: 0 done · 1 error · 2 wrong usage · 3 halted or failed · 4 timed out · 5 conflict with what is going on

Complete commands and names with Tab: baton completion --help`;
