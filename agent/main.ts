/**
 * The agent's entry: in a bundle, where the launcher starts it with `run`, and in the package, where it is the
 * `agent` command. Only what is asked for is loaded.
 */
import { findRunning } from "./running.ts";

const argv = process.argv.slice(2);
const running = findRunning(process.argv[1]);

if (argv.includes("--self-test")) {
  const { runSelfTest } = await import("./run-self-test.ts");
  await runSelfTest(running, optionOf("--config"));
} else if (argv[0] === "run" && !argv.includes("--help")) {
  const { run } = await import("./run.ts");
  await run(running, argv.slice(1));
} else {
  const { runCommand } = await import("./cli.ts");
  const run = () => runCommand(argv, running);
  process.exitCode =
    argv[0] === "doctor"
      ? await import("./cli/apart.ts").then(({ runApart }) => runApart(argv, run))
      : await run();
}

function optionOf(name: string): string | undefined {
  const at = argv.indexOf(name);
  if (at !== -1) return argv[at + 1];
  return argv.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1);
}
