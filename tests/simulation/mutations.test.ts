import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MUTATIONS as SCENARIO_MISTAKES } from "../integration/mutations.ts";
import { MUTATIONS } from "./mutations.ts";

const ROOT = join(import.meta.dirname, "../..");

// Most are hunted in the long proof alone, which is late to learn that a source has moved on.
test.each([...MUTATIONS, ...SCENARIO_MISTAKES])("can still be planted: $name", ({ file, from, to }) => {
  const text = readFileSync(join(ROOT, file), "utf8");
  expect(text.split(from).length - 1).toBe(1);
  expect(to).not.toBe(from);
});
