/**
 * `node tests/tally.ts REPORT…`: adds up the reports of all suites and closes with `N passed, N failed`, alone on
 * a line. A report is the JSON of vitest (`--reporter=json --outputFile=…`) of the lab
 * (`build/lab-report.json`), of the browser (`build/browser-report.json`), of the coordinators' faults (`build/ha-report.json`), of the proof (`build/proof-report.json`) or of the
 * soak (`build/soak-report.json`). One that is missing counts as a failure: a suite that died must not look like one that
 * passed. Exit status 1 if anything failed.
 */
import { existsSync, readFileSync } from "node:fs";

export type Counts = { readonly passed: number; readonly failed: number };

export function readCounts(file: string): Counts {
  if (!existsSync(file)) return { passed: 0, failed: 1 };
  const report = JSON.parse(readFileSync(file, "utf8")) as Partial<Record<string, unknown>>;
  if (typeof report.passed === "number" && typeof report.failed === "number") {
    return { passed: report.passed, failed: report.failed };
  }
  if (typeof report.numPassedTests !== "number")
    throw new Error(`${file} is no report of vitest or of the lab.`);
  // A file that cannot even be loaded has no tests that could fail, but its suite has.
  const failed = Math.max(Number(report.numFailedTests), Number(report.numFailedTestSuites));
  return { passed: report.numPassedTests, failed };
}

export const tally = (files: readonly string[]): Counts =>
  files
    .map(readCounts)
    .reduce((sum, one) => ({ passed: sum.passed + one.passed, failed: sum.failed + one.failed }), {
      passed: 0,
      failed: 0,
    });

if (import.meta.main) {
  const { passed, failed } = tally(process.argv.slice(2));
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}
