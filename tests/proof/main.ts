/**
 * `npm run test:proof -- [--shard i/n] [--part NAME]… [--report FILE]`: the long proofs, or one of n shards of them.
 * Closes with `N passed, N failed`, alone on a line, and leaves the same in `build/proof-report.json` or elsewhere, for
 * `tests/tally.ts` and for `docs/PROOF.md` (`report.ts`).
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parseShard } from "./part.ts";
import { writeReport } from "./report.ts";
import { loadParts, runParts } from "./run.ts";

const { values } = parseArgs({
  options: {
    shard: { type: "string", default: "1/1" },
    part: { type: "string", multiple: true },
    report: { type: "string", default: join(import.meta.dirname, "../../build/proof-report.json") },
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
  const run = await runParts(parts, { shard, print });
  await writeReport(values.report, run, shard);
  print(`${run.passed} passed, ${run.failed} failed`);
  process.exitCode = run.failed === 0 ? 0 : 1;
}
