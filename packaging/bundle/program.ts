import { rm } from "node:fs/promises";
import { join } from "node:path";
import { build } from "rolldown";

/** Packages that a dependency would like and works without; it asks for them inside `try`. */
const OPTIONAL = ["bufferutil", "utf-8-validate", "pg-native", "pg-cloudflare", "@fastify/swagger-ui"];

export type ProgramRequest = {
  /** The main file. */
  readonly input: string;
  /** Directory that becomes the program's alone: what was there is removed. */
  readonly outDir: string;
  /** The program is `NAME.mjs`; what it loads only when it needs it is in `NAME-parts/` beside it. */
  readonly name: string;
};

/**
 * Bundles a Node program with everything that it imports into one minified ES module. What the sources load by
 * `import()` becomes a part of its own, so that a start does not pay for it.
 *
 * Throws when an import cannot be resolved: it would fail on a node that has no `node_modules`.
 */
export async function buildProgram({ input, outDir, name }: ProgramRequest): Promise<string> {
  await rm(outDir, { recursive: true, force: true });
  await build({
    input: { [name]: input },
    platform: "node",
    external: [/^node:/, ...OPTIONAL],
    transform: { target: "node26" },
    onLog: (level, log, report) => {
      if (log.code === "UNRESOLVED_IMPORT") throw new Error(log.message);
      if (level !== "warn" || log.id === undefined || !log.id.includes("node_modules")) report(level, log);
    },
    output: {
      dir: outDir,
      format: "esm",
      minify: true,
      comments: false,
      entryFileNames: "[name].mjs",
      chunkFileNames: `${name}-parts/[name]-[hash].mjs`,
    },
  });
  return join(outDir, `${name}.mjs`);
}
