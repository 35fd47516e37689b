/** What a world that has come to rest looks like: nobody holds the lease, nobody owes a word, nobody is at work. */
import { isActive } from "../../../server-stub/core/job/job.ts";
import type { Node, World } from "./world.ts";

export function isSettled(world: World): boolean {
  const { hub, nodes } = world;
  if (hub.lease.holders.length > 0 || hub.lease.broken.length > 0) return false;
  if (!nodes.every((node) => !node.member || isAtRest(node))) return false;
  // Nobody who could get a turn is still waiting for one.
  const isWhole = nodes.every((node) => node.member);
  return !isWhole || !hub.isOpen || hub.jobs.every((job) => job === null || !isActive(job));
}

function isAtRest({ process, disk }: Node): boolean {
  if (process === null || process.tasks.length > 0 || process.hooks.length > 0) return false;
  const { kind } = process.machine.update;
  const { journal, trial, verdict } = disk;
  if (journal.phase.kind !== "idle" || journal.finalWords.length > 0) return false;
  return trial === null && verdict === null && (kind === "idle" || kind === "prepared");
}
