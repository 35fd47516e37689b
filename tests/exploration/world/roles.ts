/** Who leads the group's workload, where that is played: by itself, by the handover hook, and by who is gone. */
import type { Step } from "./steps.ts";
import { type Hook, type NodeIndex, nameOf, nodeAt, spend, type World } from "./world.ts";

/** The handover hook gives leadership to the next node that could lead. */
export function handOver(world: World, at: NodeIndex, { kind }: Hook): World {
  if (kind !== "hand-over" || world.leader !== at) return world;
  const next = world.nodes.findIndex((_, other) => other !== at && couldLead(world, other));
  return next === -1 ? world : { ...world, leader: next };
}

/** Another node takes over from a leader that is gone, or, as a misfortune, from one that is not. */
export function elect(world: World): readonly Step[] {
  const { leader } = world;
  if (leader === null) return [];
  const isGone = !couldLead(world, leader);
  if (!isGone && world.left.elect === 0) return [];
  const from = isGone ? world : spend(world, "elect");
  return world.nodes.flatMap((_, at) =>
    at === leader || !couldLead(world, at)
      ? []
      : [
          {
            name: `${nameOf(at)} is elected`,
            isCalm: isGone,
            take: () => (from === null ? null : { ...from, leader: at }),
          },
        ],
  );
}

function couldLead(world: World, at: NodeIndex): boolean {
  const { process, member } = nodeAt(world, at);
  if (process === null || !member) return false;
  const { kind } = process.machine.update;
  return kind !== "draining" && kind !== "swapping" && kind !== "exiting";
}
