/**
 * Breadth-first search over everything that can happen in a world, so that the first violation found has a shortest
 * history. Afterwards: from every state that was met, can the world still settle by calm steps alone?
 */
import { Edges, Numbers } from "./edges.ts";
import { Seen } from "./seen.ts";
import { keyOf } from "./world/key.ts";
import { isSettled } from "./world/settled.ts";
import { checkState } from "./world/state-checks.ts";
import { type Rules, type Step, stepsOf } from "./world/steps.ts";
import { Violation } from "./world/violation.ts";
import type { World } from "./world/world.ts";

export type Options = Rules & {
  /** Texts of nodes are sorted: which of them is which does not matter. */
  readonly symmetric: boolean;
  /** Gives up above so many states. */
  readonly maxStates: number;
};

export type Found = {
  readonly invariant: string;
  readonly message: string;
  readonly history: readonly string[];
};

export type Explored = {
  readonly states: number;
  readonly steps: number;
  /** Longest of all shortest histories. */
  readonly depth: number;
  readonly settled: number;
  /** Every state was met. */
  readonly complete: boolean;
  readonly violation: Found | null;
};

export function explore(start: World, options: Options, describe: (world: World) => string): Explored {
  const seen = new Seen();
  const parents = new Numbers();
  const choices = new Numbers();
  const settled = new Numbers();
  const edges = new Edges();
  let steps = 0;
  let depth = 0;

  const found = (id: number, choice: number | null, invariant: string, message: string): Found => {
    const path = pathTo(id, parents, choices);
    return {
      invariant,
      message,
      history: replay(start, options, choice === null ? path : [...path, choice], describe),
    };
  };
  const done = (complete: boolean, violation: Found | null): Explored => ({
    states: seen.size,
    steps,
    depth,
    settled: settled.length,
    complete,
    violation,
  });

  let level: { readonly id: number; readonly world: World }[] = [];
  const meet = (world: World, parent: number, choice: number): number => {
    const number = seen.number(keyOf(world, options.symmetric));
    if (number >= 0) return number;
    const id = -1 - number;
    parents.push(parent);
    choices.push(choice);
    next.push({ id, world });
    return id;
  };
  let next: { readonly id: number; readonly world: World }[] = [];
  meet(start, -1, -1);
  while (next.length > 0) {
    level = next;
    next = [];
    for (const { id, world } of level) {
      if (isSettled(world)) settled.push(id);
      const possible = stepsOf(world, options);
      for (const [choice, step] of possible.entries()) {
        const taken = tryStep(step);
        if (taken instanceof Violation) return done(false, found(id, choice, taken.invariant, taken.message));
        if (taken === null) continue;
        steps += 1;
        const before = seen.size;
        const to = meet(taken, id, choice);
        if (step.isCalm && to !== id) edges.add(id, to);
        const broken = seen.size === before ? null : violationIn(taken);
        if (broken !== null) return done(false, found(to, null, broken.invariant, broken.message));
      }
    }
    if (seen.size > options.maxStates) return done(false, null);
    depth += 1;
  }
  const stuck = edges.firstThatCannotReach(settled, seen.size);
  if (stuck !== null)
    return done(true, found(stuck, null, "the world can settle", "from here it never comes to rest"));
  return done(true, null);
}

function tryStep(step: Step): World | Violation | null {
  try {
    return step.take();
  } catch (cause) {
    if (cause instanceof Violation) return cause;
    throw cause;
  }
}

function violationIn(world: World): Violation | null {
  try {
    checkState(world);
    return null;
  } catch (cause) {
    if (cause instanceof Violation) return cause;
    throw cause;
  }
}

function pathTo(id: number, parents: Numbers, choices: Numbers): number[] {
  const path: number[] = [];
  for (let at = id; parents.at(at) !== -1; at = parents.at(at)) path.push(choices.at(at));
  return path.reverse();
}

/** The history in words: each step, and what the world is like after it. */
function replay(
  start: World,
  rules: Rules,
  path: readonly number[],
  describe: (world: World) => string,
): readonly string[] {
  let world = start;
  return path.map((choice, at) => {
    const step = stepsOf(world, rules)[choice];
    if (step === undefined) throw new Error("the history cannot be replayed");
    const number = `${at + 1}.`.padStart(4);
    const taken = tryStep(step);
    if (taken === null || taken instanceof Violation) return `${number} ${step.name}`;
    world = taken;
    return `${number} ${step.name.padEnd(44)} ${describe(world)}`;
  });
}
