/**
 * `npm run test:proof -- [--shard i/n] [--part NAME]… [--report FILE]`: the long proofs, or one of n shards of them.
 * Closes with `N passed, N failed`, alone on a line; `--report` leaves the same for `tests/tally.ts`.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { parseShard } from "./part.ts";
import { loadParts, runParts } from "./run.ts";

const { values } = parseArgs({
  options: {
    shard: { type: "string", default: "1/1" },
    part: { type: "string", multiple: true },
    report: { type: "string" },
  },
});
const print = (line: string) => void process.stdout.write(`${line}\n`);
const shard = parseShard(values.shard);
const all = await loadParts(join(import.meta.dirname, "parts"));
const parts = all.filter(({ name }) => values.part === undefined || values.part.includes(name));
if (shard === null || parts.length === 0) {
  process.stderr.write(
    shard === null
      ? `--shard ${values.shard}: it is i/n, with i from 1 to n, such as 2/7.\n`
      : `--part: there is ${all.map(({ name }) => name).join(", ")}.\n`,
  );
  process.exitCode = 2;
} else {
  const counts = await runParts(parts, { shard, print });
  if (values.report !== undefined) {
    mkdirSync(dirname(values.report), { recursive: true });
    writeFileSync(values.report, `${JSON.stringify(counts)}\n`);
  }
  print(`${counts.passed} passed, ${counts.failed} failed`);
  process.exitCode = counts.failed === 0 ? 0 : 1;
}
