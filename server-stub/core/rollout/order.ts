/**
 * The order of a rollout: whole groups, shuffled by a seed, cut into cumulative stages. Pure; the same nodes, seed and
 * shares give the same order, in whatever order the nodes come.
 */
import type { Role } from "../../../protocol/health.ts";
import type { GroupName, NodeId, NodeName } from "../../../protocol/names.ts";
import type { RolloutPolicy } from "../../../protocol/rollout.ts";

/** What the order looks at of a node. */
export type Orderable = {
  readonly nodeId: NodeId;
  readonly name: NodeName;
  readonly group: GroupName;
  readonly role: Role | null;
  /** Ill and allowed to be: until it is mended its group can spare nobody else. */
  readonly first?: boolean;
};

export type Ordered<N> = {
  /** In the order of the turns, each with its stage from 0. */
  readonly nodes: readonly { readonly node: N; readonly stage: number }[];
  /** Those that add somebody; the last has reached everybody. */
  readonly stages: readonly StageSize[];
};

export type StageSize = {
  readonly share: number;
  readonly nodes: number;
  readonly units: number;
  /** Nodes of the largest unit. */
  readonly largest: number;
};

/**
 * A stage takes units until it has reached its share of the nodes, rounded up, at least one: ten independent nodes at
 * 10, 50 and 100 % are 1, 4 and 5. A group that crosses the line belongs to the stage that it begins in, so a stage may
 * add more than its share, up to all; stages that would then add nobody are left out, and the one before them says their
 * share: a single group at 10, 50 and 100 % is one stage, to 100 %.
 */
export function orderNodes<N extends Orderable>(
  nodes: readonly N[],
  quorumGroups: readonly GroupName[],
  { seed, stages: shares }: Pick<RolloutPolicy, "seed" | "stages">,
): Ordered<N> {
  const quorum = new Set(quorumGroups);
  const units = Map.groupBy([...nodes].sort(byName), ({ group, nodeId }) =>
    quorum.has(group) ? `group ${group}` : `node ${nodeId}`,
  );
  const shuffled = shuffle(
    [...units].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, members]) => members),
    seed,
  );
  const ordered: { node: N; stage: number }[] = [];
  const stages: StageSize[] = [];
  let next = 0;
  for (const share of shares) {
    const until = Math.max(1, Math.ceil(share * nodes.length - ROUNDING));
    const [from, begun] = [next, ordered.length];
    while (next < shuffled.length && ordered.length < until) {
      for (const node of inTurn(shuffled[next] ?? [])) ordered.push({ node, stage: stages.length });
      next += 1;
    }
    const units = shuffled.slice(from, next);
    const largest = units.reduce((most, { length }) => Math.max(most, length), 0);
    if (next > from) stages.push({ share, nodes: ordered.length - begun, units: units.length, largest });
    else reachAlso(stages, share);
  }
  return { nodes: ordered, stages };
}

/** A share that adds nobody was reached by the stage before it. */
function reachAlso(stages: StageSize[], share: number): void {
  const last = stages.pop();
  if (last !== undefined) stages.push({ ...last, share });
}

/** How many turns come one after the other in a stage: whole groups one by one, up to so many groups at once. */
export const roundsOf = (
  { nodes, largest }: Pick<StageSize, "nodes" | "largest">,
  { concurrency }: Pick<RolloutPolicy, "concurrency">,
): number => Math.max(largest, Math.ceil(nodes / concurrency));

/** Ten times 0.1 is a little over one for a computer. */
const ROUNDING = 1e-9;

const byName = (a: Orderable, b: Orderable): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : a.nodeId < b.nodeId ? -1 : 1;

const inTurn = <N extends Orderable>(members: readonly N[]): readonly N[] =>
  [...members].sort((a, b) => rankOf(a) - rankOf(b));

const rankOf = ({ role, first }: Orderable): number => (role === "leader" ? 2 : first === true ? 0 : 1);

/** Fisher and Yates, over a generator of its own so that no release of Node changes the order. */
export function shuffle<T>(items: readonly T[], seed: number): readonly T[] {
  const shuffled = [...items];
  const random = mulberry(seed);
  for (let last = shuffled.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    const [a, b] = [shuffled[last], shuffled[other]];
    if (a === undefined || b === undefined) continue;
    shuffled[last] = b;
    shuffled[other] = a;
  }
  return shuffled;
}

/** Mulberry32: numbers in [0, 1) from 32 bits of seed. Source: Tommy Ettinger, 2017, public domain. */
function mulberry(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
