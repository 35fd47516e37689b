/**
 * `node tests/tally.ts REPORT…`: adds up the reports of all suites, says again what failed, and closes with
 * `N passed, N failed`, alone on a line. A report is the JSON of vitest (`--reporter=json --outputFile=…`), or what a suite
 * that is no vitest left in `build/` (`tests/harness/suite.ts`, `tests/proof/report.ts`). One that is missing counts as a
 * failure: a suite that died must not look like one that passed. Exit status 1 if anything failed.
 */
import { existsSync, readFileSync } from "node:fs";

export type Counts = { readonly passed: number; readonly failed: number };

/** Also what failed, by name, each with how; a suite that only counts says nothing here. */
export type Tally = Counts & { readonly faults: readonly string[] };

type VitestReport = {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages?: readonly string[] | null;
    }[];
  }[];
};

const OUTSIDE = "something failed outside of any test; the suite's own output says what";

function readReport(file: string): Tally {
  if (!existsSync(file)) return { passed: 0, failed: 1, faults: [`${file}: there is no such report`] };
  const report = JSON.parse(readFileSync(file, "utf8")) as Partial<Tally> | VitestReport;
  if ("numPassedTests" in report) return ofVitest(file, report);
  const { passed, failed, faults = [] } = report;
  if (typeof passed !== "number" || typeof failed !== "number")
    throw new Error(`${file} is no report of vitest or of the lab.`);
  return { passed, failed, faults };
}

function ofVitest(file: string, { success, numPassedTests, testResults }: VitestReport): Tally {
  const faults = testResults
    .filter(({ status }) => status === "failed")
    .flatMap(({ name, message, assertionResults }) => {
      const failed = assertionResults.filter(({ status }) => status === "failed");
      // A file that cannot even be loaded has no tests that could fail, and of a hook that fails vitest reports no words.
      if (failed.length === 0) return [`${name}: ${message || OUTSIDE}`];
      return failed.map((one) => `${name}: ${one.fullName}: ${one.failureMessages?.join("\n") ?? ""}`);
    });
  if (!success && faults.length === 0) faults.push(`${file}: ${OUTSIDE}`);
  return { passed: numPassedTests, failed: faults.length, faults };
}

export function tally(files: readonly string[]): Tally {
  const all = files.map(readReport);
  const sum = (of: (one: Counts) => number): number => all.reduce((total, one) => total + of(one), 0);
  return {
    passed: sum(({ passed }) => passed),
    failed: sum(({ failed }) => failed),
    faults: all.flatMap(({ faults }) => faults),
  };
}

if (import.meta.main) {
  const { passed, failed, faults } = tally(process.argv.slice(2));
  for (const fault of faults) process.stdout.write(`FAILED ${fault.trimEnd()}\n`);
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}
