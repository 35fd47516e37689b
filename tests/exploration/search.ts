/** One search from its beginning; a module of its own so that a mutant can be loaded as a whole. */
import { type Explored, explore } from "./explore.ts";
import { describe } from "./world/describe.ts";
import { type Beginning, begin } from "./worlds.ts";

/**
 * Nodes are as good as each other, except where one of them leads. Where only one is updated, nothing is left out;
 * where more are, what a node does on its own disk comes before everything else (`steps.ts`), unless told otherwise.
 */
export function search(beginning: Beginning, maxStates: number, isFull = isAlone(beginning)): Explored {
  const rules = { reduce: !isFull, symmetric: beginning.leader === undefined, maxStates };
  return explore(begin(beginning), rules, describe);
}

const isAlone = ({ jobs }: Beginning): boolean => jobs.filter((job) => job !== null).length < 2;
