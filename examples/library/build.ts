/** Bundles the daemon into one directory, `build/examples/library/`, with any bundler you like; this is rolldown. */
import { join } from "node:path";
import { build } from "rolldown";

await build({
  input: { service: join(import.meta.dirname, "service.ts") },
  platform: "node",
  // What `ws` would like to have and works without.
  external: [/^node:/, "bufferutil", "utf-8-validate"],
  output: {
    dir: join(import.meta.dirname, "../../build/examples/library"),
    format: "esm",
    entryFileNames: "[name].mjs",
  },
});
