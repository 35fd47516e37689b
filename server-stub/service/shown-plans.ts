/** Plans that were shown lately, so that a start by the hash of one can be told what has changed since. */
import type { PlanMemory } from "../core/plan/ingredients.ts";

export type ShownPlans = {
  remember(hash: string, memory: PlanMemory): void;
  /** Null when it was too long ago, or by another coordinator. */
  find(hash: string): PlanMemory | null;
};

/** Of so many nodes in all: what a few plans of the largest fleets have. */
const MOST_NODES = 100_000;
const MOST_PLANS = 100;

export function createShownPlans(): ShownPlans {
  const shown = new Map<string, PlanMemory>();
  let nodes = 0;
  const forget = (hash: string): void => {
    nodes -= shown.get(hash)?.names.size ?? 0;
    shown.delete(hash);
  };
  return {
    remember(hash, memory) {
      forget(hash);
      shown.set(hash, memory);
      nodes += memory.names.size;
      for (const oldest of shown.keys()) {
        if (oldest === hash || (nodes <= MOST_NODES && shown.size <= MOST_PLANS)) break;
        forget(oldest);
      }
    },
    find: (hash) => shown.get(hash) ?? null,
  };
}
