import { parseArgs } from "node:util";
import { err, type Fault, type Result } from "../protocol/result.ts";
import { reportFault } from "./cli/world.ts";
import { type Config, readConfig } from "./config.ts";
import { runDaemon } from "./daemon.ts";
import { realDisk } from "./effects/disk.ts";
import type { Running } from "./running.ts";

/** `agent run [--config FILE]`: the daemon. Done when it is ready; exits when it cannot be started. */
export async function run(running: Running, argv: readonly string[]): Promise<void> {
  const config = await configOf(argv);
  const started = config.ok
    ? await runDaemon({
        disk: realDisk,
        config: config.value,
        running,
        env: environmentOf(config.value),
        workload: null,
      })
    : config;
  if (started.ok) return;
  const toStderr = (text: string) => void process.stderr.write(text);
  process.exit(reportFault({ err: toStderr }, started.error, false));
}

async function configOf(argv: readonly string[]): Promise<Result<Config, Fault>> {
  try {
    const { values } = parseArgs({ args: [...argv], options: { config: { type: "string" } } });
    return await readConfig(values.config);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    return err({ code: "usage", message: cause.message, hint: "agent run [--config FILE]" });
  }
}

/** A self-test that this agent starts must read the same settings. */
const environmentOf = (config: Config): NodeJS.ProcessEnv => ({ ...process.env, BATON_CONFIG: config.file });
