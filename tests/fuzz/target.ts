/** Something that takes what strangers say, and what must hold whatever they say. */
import fc from "fast-check";

export type Target = {
  readonly name: string;
  /** How often it is tried in `npm test`; the long proof tries it more often. */
  readonly runs: number;
  readonly property: fc.IRawProperty<unknown>;
};

export type Campaign = {
  /** Everything that is tried follows from it. */
  readonly seed: number;
  /** So many times the runs of each target. */
  readonly times: number;
  /** Of one failure: what fast-check calls its path. */
  readonly path?: string;
  /** So much more memory may be held after all tries of a target than before them. */
  readonly maxGrowthBytes?: number;
};

const MIB = 1024 ** 2;
/** Garbage that nobody has collected yet is in it; whoever believes a length that a stranger names takes far more. */
const MAX_GROWTH_BYTES = 512 * MIB;

/** As the environment says: `FUZZ_SEED`, `FUZZ_TIMES`, `FUZZ_PATH`. */
export const campaignOf = (env: Readonly<NodeJS.ProcessEnv>): Campaign => ({
  seed: Number(env.FUZZ_SEED ?? 1),
  times: Number(env.FUZZ_TIMES ?? 1),
  ...(env.FUZZ_PATH === undefined ? {} : { path: env.FUZZ_PATH }),
});

/** Tries a target; null when it holds, and else what broke it, made small, and how to see that again. */
export async function tryOut(
  { name, runs, property }: Target,
  { seed, times, path, maxGrowthBytes = MAX_GROWTH_BYTES }: Campaign,
): Promise<string | null> {
  const before = process.memoryUsage.rss();
  const details = await fc.check(property, {
    seed,
    numRuns: Math.ceil(runs * times),
    ...(path === undefined ? {} : { path }),
  });
  const growth = process.memoryUsage.rss() - before;
  if (!details.failed && growth > maxGrowthBytes)
    return `${name}: ${Math.round(growth / MIB)} MiB more are held after ${details.numRuns} tries (FUZZ_SEED=${seed})`;
  if (!details.failed) return null;
  const replay = `FUZZ_SEED=${details.seed} FUZZ_PATH=${details.counterexamplePath ?? ""} npx vitest run tests/fuzz -t '${name}'`;
  const { errorInstance: cause } = details;
  const why = cause instanceof Error ? (cause.stack ?? cause.message) : "it does not hold";
  return `${name}: ${why}\n${fc.defaultReportMessage(details) ?? ""}\nAgain: ${replay}`;
}
