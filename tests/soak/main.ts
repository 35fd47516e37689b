/**
 * `npm run test:soak [-- --minutes N] [--sessions N]`: 2,000 real sessions against one real coordinator, ten minutes in
 * all. Prints a line every fifteen seconds and the verdicts, and closes with `N passed, N failed`; exit status 1 if any
 * failed.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { build } from "../../packaging/bundle/build.ts";
import { report } from "../harness/suite.ts";
import { soak } from "./soak.ts";

/** Beside a session's: what the coordinator and the programs around it have open themselves. */
const OTHER_DESCRIPTORS = 1_000;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "10" },
      sessions: { type: "string", default: "2000" },
      "heartbeat-ms": { type: "string", default: "5000" },
    },
  });
  const minutes = Number(values.minutes);
  const sessions = Number(values.sessions);
  const heartbeatMs = Number(values["heartbeat-ms"]);
  if (!(minutes > 0 && sessions >= 10 && heartbeatMs >= 10)) {
    process.stderr.write("--minutes is above 0, --sessions at least 10, --heartbeat-ms at least 10.\n");
    return 2;
  }
  const most = openFiles();
  if (most < sessions + OTHER_DESCRIPTORS) {
    process.stderr.write(
      `A process may open ${most} files, and ${sessions} sessions take ${sessions + OTHER_DESCRIPTORS}. Nothing was started. Raise the limit (ulimit -Hn), or choose fewer --sessions.\n`,
    );
    return 2;
  }
  await build();
  const verdicts = await soak({ sessions, minutes, heartbeatMs, restartMs: 2_000, print });
  print("");
  for (const { name, ok, says } of verdicts) print(`${ok ? "ok    " : "FAILED"}  ${name}: ${says}`);
  return report(
    "soak-report.json",
    verdicts.map(({ name, ok, says }) => ({ name, fault: ok ? null : says })),
    print,
  );
}

/** Node raises its own limit to the hard one. */
function openFiles(): number {
  const limits = readFileSync("/proc/self/limits", "utf8");
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(limits)?.[1] ?? "0";
  return hard === "unlimited" ? Number.POSITIVE_INFINITY : Number(hard);
}
