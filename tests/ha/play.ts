/** Plays the acts on one stage, and judges each by what the agents wrote down and the operator was told. */
import { monotonicMs } from "../light-agents/diary.ts";
import { type Act, THROUGH } from "./acts.ts";
import { longestWithoutGrant, together, wrongTokens } from "./judge.ts";
import type { Stage } from "./stage.ts";

/** How long a rollout may take, whatever happens in the middle of it. */
const ENDS_WITHIN_MS = 120_000;

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export type Outcome = { readonly name: string; readonly faults: readonly string[] };

/** Whether it went well; what is wrong is told. Later acts are played all the same. */
export async function play(stage: Stage, act: Act, print: (line: string) => void): Promise<Outcome> {
  const began = performance.now();
  const faults: string[] = [];
  const says: string[] = [];
  try {
    const id = await stage.roll(THROUGH);
    const fromMs = monotonicMs();
    await act.fault(stage);
    await stage.rolled(id, ENDS_WITHIN_MS);
    const longestMs = longestWithoutGrant(await stage.entries(), fromMs, monotonicMs());
    says.push(`at most ${(longestMs / 1000).toFixed(1)} s without a grant`);
  } catch (error) {
    faults.push(wordsOf(error));
    await stage.settle().catch((again: unknown) => faults.push(wordsOf(again)));
  }
  const entries = await stage.entries();
  faults.push(...together(entries), ...wrongTokens(entries));
  const { complaints } = await stage.swarm.counts();
  faults.push(...complaints);
  try {
    faults.push(...(await stage.operator.lost()));
  } catch (error) {
    faults.push(`what the operator did could not be read: ${String(error)}`);
  }
  const took = `${((performance.now() - began) / 1000).toFixed(1)} s`;
  print(`${faults.length === 0 ? "ok    " : "FAILED"}  ${act.name} (${[took, ...says].join(", ")})`);
  for (const fault of faults.slice(0, 10)) print(`        ${fault}`);
  return { name: act.name, faults };
}
