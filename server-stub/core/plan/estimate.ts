/** How long a rollout should take, by what updates took lately. Pure. */
import type { Estimate } from "../../../protocol/plan.ts";
import type { DurationMs } from "../../../protocol/time.ts";
import { roundsOf } from "../rollout/order.ts";
import type { Draft } from "./draft.ts";

/** Older jobs tell of other machines and other builds. */
const LATELY = 50;

/** By jobs of the same groups where there are any, else of the whole fleet; null when there are none at all. */
export function estimateOf({ world, selected, ordered, request: { policy } }: Draft): Estimate | null {
  const groups = new Set(selected.map(({ group }) => group));
  const own = world.past.filter(({ group }) => groups.has(group));
  const taken = (own.length > 0 ? own : world.past).slice(0, LATELY).map(({ tookMs }) => tookMs);
  const perNodeMs = medianOf(taken);
  if (perNodeMs === null) return null;
  const rounds = ordered.stages.reduce((sum, stage) => sum + roundsOf(stage, policy), 0);
  const pauses = Math.max(0, ordered.stages.length - 1) * (policy.pauseMs ?? 0);
  return { perNodeMs, totalMs: rounds * perNodeMs + pauses, jobs: taken.length };
}

function medianOf(values: readonly DurationMs[]): DurationMs | null {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? null : Math.round((low + high) / 2);
}
