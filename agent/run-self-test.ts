import type { Running } from "./running.ts";
import { selfTest } from "./self-test.ts";

/** Runs the self-test of this build, prints one line of JSON, and exits with 0 or 1. */
export async function runSelfTest(running: Running, config: string | undefined): Promise<never> {
  const result = await selfTest(running, loadParts, { config, env: process.env });
  await new Promise<void>((resolve) => {
    process.stdout.write(`${JSON.stringify(result)}\n`, () => resolve());
  });
  process.exit(result.ok ? 0 : 1);
}

/** Everything that an agent loads at any time: what is missing would be missed in the middle of an update. */
const loadParts = async (): Promise<void> => {
  await Promise.all([
    import("./daemon.ts"),
    import("./doctor/look.ts"),
    import("./preparer.ts"),
    import("./install-kit.ts"),
    import("undici"),
    import("@tufjs/models"),
    import("tuf-js/dist/error.js"),
  ]);
};
