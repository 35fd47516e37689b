import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    globalSetup: ["tests/harness/postgres/of-this-run.ts"],
    include: ["tests/**/*.test.ts"],
    exclude: ["tests/systemd/**", "node_modules/**"],
    pool: "forks",
    // A third of the time went into loading the same modules for each file. Nothing mocks a module, and what a file
    // changes of its process it puts back.
    isolate: false,
    // The default leaves one processor free, which on two makes everything take twice as long.
    maxWorkers: availableParallelism(),
    // Nothing here takes so long by itself: on a busy machine it may, and that is no failure.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
