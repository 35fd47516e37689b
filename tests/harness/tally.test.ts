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

const file = (name: string, status: string, message: string, assertionResults: readonly object[]) => ({
  name,
  status,
  message,
  assertionResults,
});

const unit = report("unit.json", {
  success: true,
  numPassedTests: 40,
  numFailedTests: 0,
  testResults: [file("a.test.ts", "passed", "", [{ status: "passed", fullName: "adds" }])],
});
const wrong = report("wrong.json", {
  success: false,
  numPassedTests: 5,
  numFailedTests: 1,
  testResults: [
    file("a.test.ts", "failed", "", [
      { status: "passed", fullName: "adds" },
      { status: "failed", fullName: "sums up twice", failureMessages: ["2 is not 3"] },
    ]),
  ],
});
const broken = report("broken.json", {
  success: false,
  numPassedTests: 3,
  numFailedTests: 0,
  testResults: [file("b.test.ts", "failed", "no such module", [])],
});
const hook = report("hook.json", {
  success: false,
  numPassedTests: 3,
  numFailedTests: 0,
  testResults: [file("c.test.ts", "failed", "", [{ status: "skipped", fullName: "adds" }])],
});
const loose = report("loose.json", {
  success: false,
  numPassedTests: 3,
  numFailedTests: 0,
  testResults: [],
});
const lab = report("lab.json", { passed: 7, failed: 2, faults: ["cut: too late", "full: no room"] });

test.each([
  ["both suites", [unit, lab], { passed: 47, failed: 2, faults: ["cut: too late", "full: no room"] }],
  [
    "a test that fails, once however deep it lies",
    [wrong],
    { passed: 5, failed: 1, faults: ["a.test.ts: sums up twice: 2 is not 3"] },
  ],
  [
    "a test file that does not load",
    [broken],
    { passed: 3, failed: 1, faults: ["b.test.ts: no such module"] },
  ],
  [
    "a hook that fails",
    [hook],
    {
      passed: 3,
      failed: 1,
      faults: [expect.stringContaining("c.test.ts: something failed outside of any test")],
    },
  ],
  [
    "what fails outside of any test",
    [loose],
    {
      passed: 3,
      failed: 1,
      faults: [expect.stringContaining(`${loose}: something failed outside of any test`)],
    },
  ],
  [
    "a suite that left no report",
    [unit, join(dir, "none.json")],
    { passed: 40, failed: 1, faults: [`${join(dir, "none.json")}: there is no such report`] },
  ],
])("adds up %s", (_, files, sum) => {
  expect(tally(files)).toEqual(sum);
});

test("refuses a report that it does not know", () => {
  expect(() => tally([report("odd.json", { hello: 1 })])).toThrow(/odd\.json is no report/);
});
