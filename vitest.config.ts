import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    globalSetup: ["tests/harness/postgres/of-this-run.ts"],
    include: ["tests/**/*.test.ts"],
    exclude: ["tests/systemd/**", "node_modules/**"],
    pool: "forks",
    // The default leaves one processor free, which on two makes everything take twice as long.
    maxWorkers: availableParallelism(),
    // Nothing here takes so long by itself: on a busy machine it may, and that is no failure.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
