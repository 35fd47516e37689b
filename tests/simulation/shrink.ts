/**
 * Makes a history that fails as small as it gets while it fails by the same rule: fewer deeds, fewer groups, plainer
 * machines. Each part of a world has luck of its own, so that taking one thing out leaves the rest mostly as it was.
 */
import { type History, nodesOf } from "./history.ts";
import { type Outcome, runHistory } from "./run.ts";
import type { WorldOptions } from "./world.ts";

/** A smaller history is worth only so many runs, and so much time. */
const MAX_RUNS = 150;
const MAX_MS = 30_000;

export async function shrink(failed: Outcome, options: WorldOptions): Promise<Outcome> {
  const rule = failed.failure?.rule;
  let best = failed;
  let runs = 0;
  const began = performance.now();
  const isAsBad = async (history: History): Promise<boolean> => {
    if (runs >= MAX_RUNS || performance.now() - began > MAX_MS) return false;
    runs += 1;
    const outcome = await runHistory(history, options);
    if (outcome.failure?.rule !== rule) return false;
    best = outcome;
    return true;
  };
  await takeOut(best.history.acts.length, () => best.history, isAsBad);
  for (const plainer of plainerThan(best.history)) await isAsBad(plainer(best.history));
  await takeOut(best.history.acts.length, () => best.history, isAsBad);
  return best;
}

/** Halves first, then quarters, down to one deed at a time. */
async function takeOut(
  count: number,
  current: () => History,
  isAsBad: (history: History) => Promise<boolean>,
): Promise<void> {
  for (let size = Math.ceil(count / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    let at = 0;
    while (at < current().acts.length) {
      const history = current();
      const acts = history.acts.filter((_, index) => index < at || index >= at + size);
      if (!(await isAsBad({ ...history, acts }))) at += size;
    }
  }
}

type Plainer = (history: History) => History;

function plainerThan(history: History): Plainer[] {
  const steps: Plainer[] = [
    (now) => ({ ...now, storage: "memory" }),
    (now) => ({ ...now, coordinatorRate: 1 }),
    (now) => eachNode(now, (node) => ({ ...node, rate: 1, wallOff: 0 })),
    (now) => eachNode(now, (node) => ({ ...node, mode: "websocket" })),
    (now) => ({ ...now, groups: now.groups.map((group) => ({ ...group, hasRoles: false })) }),
  ];
  const groups = history.groups.map(
    ({ name }): Plainer =>
      (now) =>
        now.groups.length === 1 ? now : { ...now, groups: now.groups.filter((group) => group.name !== name) },
  );
  const nodes = nodesOf(history)
    .toReversed()
    .map(
      ({ name }): Plainer =>
        (now) => ({ ...now, groups: now.groups.map((group) => withoutNode(group, name)) }),
    );
  return [...groups, ...nodes, ...steps];
}

type Group = History["groups"][number];

/** A quorum group keeps three. */
const withoutNode = (group: Group, name: string): Group =>
  group.nodes.length <= 3 ? group : { ...group, nodes: group.nodes.filter((node) => node.name !== name) };

const eachNode = (
  history: History,
  change: (node: Group["nodes"][number]) => Group["nodes"][number],
): History => ({
  ...history,
  groups: history.groups.map((group) => ({ ...group, nodes: group.nodes.map(change) })),
});
