import { Command, CommanderError } from "commander";
import { PRODUCT_VERSION } from "../protocol/product.ts";
import { type Fault, FaultError } from "../protocol/result.ts";
import { backupCommand } from "./commands/backup.ts";
import { init } from "./commands/init.ts";
import { migrateCommand } from "./commands/migrate.ts";
import { restoreCommand } from "./commands/restore.ts";
import { restoredCommand } from "./commands/restored.ts";
import { serveCommand } from "./commands/serve.ts";
import { signInLinkCommand } from "./commands/sign-in-link.ts";
import { tokenCommand } from "./commands/token.ts";
import { keyRequestCommand, trustCommand } from "./commands/trust.ts";
import { configOf, type Shared, type World } from "./commands/world.ts";
import { DEFAULT_CONFIG_FILE } from "./config.ts";
import { coordinatorTemplate } from "./settings.ts";

/** `coordinator` with all its commands. */
export function createProgram(world: World): Command {
  const program = new Command("coordinator")
    .description("Grants update leases, runs rollouts, and serves signed releases to agents.")
    .version(PRODUCT_VERSION)
    .option("--config <file>", `settings (default: ${DEFAULT_CONFIG_FILE}, if it is there)`)
    .option("--state-dir <dir>", "over what the settings say")
    .showHelpAfterError("(say --help for how it is used)");
  program.addCommand(initCommand(world));
  program.addCommand(trustCommand(world));
  program.addCommand(keyRequestCommand(world));
  program.addCommand(serveCommand(world));
  program.addCommand(tokenCommand(world));
  program.addCommand(migrateCommand(world));
  program.addCommand(signInLinkCommand(world));
  program.addCommand(backupCommand(world));
  program.addCommand(restoreCommand(world));
  program.addCommand(restoredCommand(world));
  program
    .command("config")
    .description("print every setting with its default, as a file")
    .action(() => world.print(coordinatorTemplate().trimEnd()));
  for (const command of [
    program,
    ...program.commands,
    ...program.commands.flatMap((each) => each.commands),
  ]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => world.print(text.trimEnd()),
      writeErr: (text) => world.say(text.trimEnd()),
    });
  }
  return program;
}

const initCommand = (world: World): Command =>
  new Command("init")
    .description("make the database, the online keys and the first administrator's token")
    .option("--token-file <file>", "where the token goes, readable by its owner alone")
    .option("--json", "print JSON")
    .action(async ({ tokenFile }: { tokenFile?: string }, self: Command) => {
      const shared = self.optsWithGlobals<Shared>();
      const made = await init(await configOf(world, shared), tokenFile);
      if (shared.json === true) return world.print(JSON.stringify(made));
      world.print(
        [
          `State directory  ${made.stateDir}`,
          `Key request      ${made.keyRequestFile}`,
          `Admin token      ${made.adminTokenFile ?? "there is one already; make more with: coordinator token create"}`,
          "",
          "Next: the publisher answers the request with `baton keys sign`, and `coordinator trust FILE` takes that in.",
        ].join("\n"),
      );
    });

/** Runs the command line and answers the exit status; nothing is thrown. */
export async function run(world: World, argv: readonly string[]): Promise<number> {
  try {
    await createProgram(world).parseAsync([...argv], { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const fault: Fault = error instanceof FaultError ? error.fault : unforeseen(error);
    world.say(argv.includes("--json") ? JSON.stringify(fault) : readable(fault));
    return fault.code === "settings" ? 2 : 1;
  }
}

const readable = ({ message, hint }: Fault): string =>
  [`error: ${message}`, ...(hint === undefined || hint === "" ? [] : [`  ${hint}`])].join("\n");

const unforeseen = (error: unknown): Fault => ({
  code: "internal",
  message: error instanceof Error ? (error.stack ?? error.message) : String(error),
});
