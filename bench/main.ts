/**
 * `npm run bench [-- [--json] [--check] [NAME…]]`: how fast and how small Baton is beside what one would do by hand,
 * both measured in the same run. Exit status 0 when everything was measured; with `--check` only if every bound
 * holds. NAME… are rows, or how their names begin.
 */
import { parseArgs } from "node:util";
import { build } from "../packaging/bundle/build.ts";
import { isHeld, type Line } from "./line.ts";
import { json, markdown } from "./report.ts";
import type { Row } from "./row.ts";
import { ROWS } from "./rows.ts";
import { endAll, runRow } from "./run-row.ts";

const said = parse();
if (said === null) {
  process.exitCode = 2;
} else {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void endAll().finally(() => process.exit(1)));
  }
  await build();
  const lines: Line[] = [];
  let failed = false;
  const run = async (row: Row): Promise<void> => {
    try {
      lines.push(...(await runRow(row)));
    } catch (error) {
      failed = true;
      console.error(`${row.names.join(", ")} could not be measured: ${wordsOf(error)}`);
    }
  };
  for (const row of said.rows.filter(({ waits }) => !waits)) await run(row);
  await Promise.all(said.rows.filter(({ waits }) => waits).map(run));
  const inOrder = ROWS.flatMap(({ names }) => names).flatMap((name) =>
    lines.filter((line) => line.name === name),
  );
  process.stdout.write(said.json ? json(inOrder) : markdown(inOrder));
  if (failed || (said.check && !inOrder.every(isHeld))) process.exitCode = 1;
}

function parse(): { json: boolean; check: boolean; rows: readonly Row[] } | null {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { json: { type: "boolean", default: false }, check: { type: "boolean", default: false } },
    });
    const chosen = (row: Row, begin: string): boolean => row.names.some((name) => name.startsWith(begin));
    const unknown = positionals.find((begin) => !ROWS.some((row) => chosen(row, begin)));
    if (unknown !== undefined) {
      throw new Error(
        `There is no row ${unknown}; there are ${ROWS.flatMap(({ names }) => names).join(", ")}.`,
      );
    }
    const rows = ROWS.filter(
      (row) => positionals.length === 0 || positionals.some((begin) => chosen(row, begin)),
    );
    return { ...values, rows };
  } catch (error) {
    console.error(wordsOf(error));
    return null;
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
