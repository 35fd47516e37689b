/**
 * `npm run bench:fleet [-- --agents 10000 --groups-of 5 --concurrency 500 --heartbeat 1s]`: rolls a fleet of light agents,
 * which speak the real protocol and come from processes of their own, against a real coordinator, and prints how long
 * it took beside the time that the policy itself demands (see `roll.ts`). Exit status 1 above a ratio of 1.25.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "../../packaging/bundle/build.ts";
import { rollFleet } from "./roll.ts";

const BOUND = 1.25;

process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      agents: { type: "string", default: "10000" },
      "groups-of": { type: "string", default: "5" },
      concurrency: { type: "string", default: "500" },
      heartbeat: { type: "string", default: "1s" },
    },
  });
  const [agents, groupsOf, concurrency] = [values.agents, values["groups-of"], values.concurrency].map(
    Number,
  );
  const heartbeatMs = durationOf(values.heartbeat);
  if (
    agents === undefined ||
    groupsOf === undefined ||
    concurrency === undefined ||
    !(groupsOf >= 3 && agents >= groupsOf && agents % groupsOf === 0 && concurrency >= 1 && heartbeatMs >= 10)
  ) {
    process.stderr.write(
      "--groups-of is at least 3, --agents a multiple of it, --concurrency at least 1, --heartbeat a duration such as 1s or 500ms.\n",
    );
    return 2;
  }
  await build();
  const dir = await mkdtemp(join(tmpdir(), "baton-fleet-"));
  const ends: (() => Promise<void>)[] = [];
  const end = async (): Promise<void> => {
    for (let work = ends.pop(); work !== undefined; work = ends.pop()) await work();
    await rm(dir, { recursive: true, force: true });
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void end().finally(() => process.exit(1)));
  }
  try {
    const began = performance.now();
    const say = (text: string): void =>
      void process.stdout.write(
        `${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${text}\n`,
      );
    const options = { agents, groupsOf, concurrency, heartbeatMs, dir, say };
    const rolled = await rollFleet({ ...options, atEnd: (work) => void ends.push(work) });
    const { tookMs, demandedMs, processorSeconds, memoryMb } = rolled;
    const ratio = tookMs / demandedMs;
    say(
      `the coordinator took ${processorSeconds.toFixed(1)} s of the processor, and has ${memoryMb.toFixed(0)} MiB`,
    );
    process.stdout.write(
      `${(tookMs / 1000).toFixed(1)} s, ${(demandedMs / 1000).toFixed(1)} s demanded: ratio ${ratio.toFixed(3)}, bound ${BOUND}: ${ratio <= BOUND ? "held" : "broken"}\n`,
    );
    return ratio <= BOUND ? 0 : 1;
  } finally {
    await end();
  }
}

/** Milliseconds; not a number when it is none. */
function durationOf(text: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)(ms|s)$/.exec(text) ?? [];
  return Number(count) * (unit === "s" ? 1_000 : 1);
}
