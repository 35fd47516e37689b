import type { PreparedBuild } from "../../../agent/core/ports.ts";
import type { Build } from "../../../protocol/build.ts";

/** A build as if it had been prepared; its floor is its own version. */
export const preparedBuild = (of: Build): PreparedBuild => ({
  build: of,
  versionJson: {
    ...of,
    builtAt: "2026-01-01T00:00:00Z",
    gitCommit: "unknown",
    entry: "main.mjs",
    engines: { node: "*" },
    platform: "linux-x64",
    protocol: 1,
  },
  minVersion: of.version,
});
