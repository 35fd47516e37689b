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
    testTimeout: 20_000,
    hookTimeout: 30_000,
  },
});
