/** A thread that runs histories: one message asks for a seed, one answers with what came of it. */
import { parentPort, workerData } from "node:worker_threads";
import { type Mutation, plant } from "./mutate.ts";
import type { StorageKind } from "./storage.ts";

export type Asked = { readonly seed: number; readonly storage: StorageKind };

export type Answered = Asked & {
  readonly failure: { readonly rule: string; readonly message: string } | null;
  /** Of the history made as small as it gets; nothing when all was well, or when nobody wants to read it. */
  readonly story: readonly string[];
  readonly shrunk: string | null;
  readonly seen: ReadonlyMap<string, number>;
  readonly steps: number;
  readonly virtualMs: number;
};

export type WorkerOptions = { readonly mutation: Mutation | null; readonly shrinks: boolean };

const { mutation, shrinks } = workerData as WorkerOptions;
if (mutation !== null) plant(mutation);
// What is to be changed must not be imported before.
const { invent } = await import("./invent.ts");
const { runHistory } = await import("./run.ts");
const { shrink } = await import("./shrink.ts");

async function answer(asked: Asked): Promise<Answered> {
  const outcome = await runHistory(invent(asked.seed, asked.storage), { isTold: false });
  const { failure, seen, steps, virtualMs } = outcome;
  const plain = { ...asked, seen, steps, virtualMs, story: [], shrunk: null };
  if (failure === null) return { ...plain, failure };
  const { rule, message, stack } = failure;
  const told = { ...plain, failure: { rule, message: `${message} ${stack}`.trim() } };
  if (!shrinks) return told;
  const small = await shrink(outcome, { isTold: true });
  return { ...told, story: small.story, shrunk: JSON.stringify(small.history) };
}

parentPort?.on("message", (asked: Asked) => {
  void answer(asked).then((answered) => parentPort?.postMessage(answered));
});
