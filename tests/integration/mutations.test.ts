/** That the scenarios would find something: each of these mistakes is made on purpose, and has to be found. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { MUTATIONS } from "./mutations.ts";

const MAIN = join(import.meta.dirname, "mutant.ts");
const CACHE = join(import.meta.dirname, "../../build/compile-cache");

test.concurrent.each(MUTATIONS)("a mistake is found: $name", { timeout: 120_000 }, async (mutation) => {
  const at = String(MUTATIONS.indexOf(mutation));
  const env = { ...process.env, NODE_COMPILE_CACHE: CACHE };
  // A process of its own, whose sources the mistake is made in as they are read.
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, at], { env, maxBuffer: 1 << 24 });
  expect(stdout.slice(0, 2_000)).toMatch(mutation.says);
});
