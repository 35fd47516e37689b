/**
 * `npm run bundle -- --workload DIR`: builds the stock agent if its sources changed, then does what
 * `baton bundle DIR` does. `--library ENTRY` and every other option of `baton bundle` work here too.
 */
import pc from "picocolors";
import { bundleCommand, realBundleWorld } from "../../cli/bundle/command.ts";
import { reportFailure } from "../../cli/failure.ts";
import { outputOf } from "../../cli/show/output.ts";
import { build } from "./build.ts";

const args = process.argv.slice(2).flatMap((arg) => {
  if (arg === "--workload") return [];
  return arg.startsWith("--workload=") ? [arg.slice("--workload=".length)] : [arg];
});

try {
  const [agent] = await build(["agent"]);
  const world = realBundleWorld(import.meta.dirname);
  const command = bundleCommand({ ...world, agentDir: agent?.dir ?? world.agentDir });
  await command.name("npm run bundle --").exitOverride().parseAsync(args, { from: "user" });
} catch (error) {
  const terminal = { err: outputOf(process.stderr), colors: pc.createColors(process.stderr.isTTY) };
  process.exitCode = reportFailure(terminal, error, args.includes("--json"));
}
