/** Many histories on several threads. */
import { Worker } from "node:worker_threads";
import type { Mutation } from "./mutate.ts";
import type { StorageKind } from "./storage.ts";
import type { Answered, Asked, WorkerOptions } from "./worker.ts";

export type PoolOptions = {
  readonly seeds: readonly number[];
  readonly threads: number;
  /** Null: every tenth seed on SQLite, the others in memory. */
  readonly storage?: StorageKind | null;
  readonly mutation?: Mutation | null;
  /** Failures are made small and told. */
  readonly shrinks?: boolean;
  /** No more are begun after so many failures. */
  readonly maxFailures?: number;
  readonly told?: (answer: Answered) => void;
};

export type Tally = {
  readonly ran: number;
  readonly failures: readonly Answered[];
  readonly seen: ReadonlyMap<string, number>;
  readonly steps: number;
  readonly virtualMs: number;
};

const SQLITE_EVERY = 10;
/** A thread is exchanged for a fresh one after so many histories, so that nothing it has kept grows for ever. */
const PER_THREAD = 1_000;

export const storageOf = (seed: number): StorageKind => (seed % SQLITE_EVERY === 0 ? "sqlite" : "memory");

export async function runSeeds(options: PoolOptions): Promise<Tally> {
  const { seeds, threads, storage = null, maxFailures = Number.POSITIVE_INFINITY, told } = options;
  const data: WorkerOptions = { mutation: options.mutation ?? null, shrinks: options.shrinks ?? false };
  const failures: Answered[] = [];
  const seen = new Map<string, number>();
  const left = [...seeds].toReversed();
  let [ran, steps, virtualMs] = [0, 0, 0];
  const count = (answer: Answered): void => {
    ran += 1;
    steps += answer.steps;
    virtualMs += answer.virtualMs;
    for (const [what, times] of answer.seen) seen.set(what, (seen.get(what) ?? 0) + times);
    if (answer.failure !== null) failures.push(answer);
    told?.(answer);
  };
  const work = async (): Promise<void> => {
    while (left.length > 0 && failures.length < maxFailures) {
      const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: data });
      try {
        for (let done = 0; done < PER_THREAD && failures.length < maxFailures; done += 1) {
          const seed = left.pop();
          if (seed === undefined) break;
          count(await ask(worker, { seed, storage: storage ?? storageOf(seed) }));
        }
      } finally {
        await worker.terminate();
      }
    }
  };
  await Promise.all(Array.from({ length: threads }, work));
  return { ran, failures: failures.toSorted((a, b) => a.seed - b.seed), seen, steps, virtualMs };
}

const ask = (worker: Worker, asked: Asked): Promise<Answered> =>
  new Promise((resolve, reject) => {
    worker.removeAllListeners();
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`The thread ended with ${code} at seed ${asked.seed}.`)));
    worker.postMessage(asked);
  });

/** A failure for who reads it: what was broken, how it came, and how to see it again. */
export function describeFailure({ seed, storage, failure, story, shrunk }: Answered): string {
  const again = `npm run test:sim -- --seeds 1 --from ${seed} --storage ${storage} --tell`;
  const small = shrunk === null ? [] : ["the smallest history that fails so:", shrunk];
  return [`seed ${seed}: ${failure?.rule}: ${failure?.message}`, ...story, ...small, `again: ${again}`].join(
    "\n",
  );
}
