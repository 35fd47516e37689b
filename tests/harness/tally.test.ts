import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { tally } from "../tally.ts";

const dir = mkdtempSync(join(tmpdir(), "baton-tally-"));
afterAll(() => rmSync(dir, { recursive: true }));

function report(name: string, value: unknown): string {
  const file = join(dir, name);
  writeFileSync(file, JSON.stringify(value));
  return file;
}

const unit = report("unit.json", { numPassedTests: 40, numFailedTests: 0, numFailedTestSuites: 0 });
const broken = report("broken.json", { numPassedTests: 3, numFailedTests: 0, numFailedTestSuites: 1 });
const lab = report("lab.json", { passed: 7, failed: 2 });

test.each([
  ["both suites", [unit, lab], { passed: 47, failed: 2 }],
  ["a test file that does not load", [broken], { passed: 3, failed: 1 }],
  ["a suite that left no report", [unit, join(dir, "none.json")], { passed: 40, failed: 1 }],
])("adds up %s", (_, files, counts) => {
  expect(tally(files)).toEqual(counts);
});

test("refuses a report that it does not know", () => {
  expect(() => tally([report("odd.json", { hello: 1 })])).toThrow(/odd\.json is no report/);
});
