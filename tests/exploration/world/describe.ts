/** A world in one line, for people who read a counterexample. */
import { idOf, type NodeIndex, nameOf, type World } from "./world.ts";

export function describe(world: World): string {
  const { hub, nodes } = world;
  const parts = nodes.flatMap((node, at) => (node.member ? [nodeText(world, at)] : []));
  const holders = hub.lease.holders.map((holder) => `${who(holder.nodeId)} ${holder.phase} ${holder.token}`);
  const broken = hub.lease.broken.map(({ nodeId, token }) => `${who(nodeId)} broken ${token}`);
  return `${parts.join(" · ")} · lease: ${[...holders, ...broken].join(", ") || "free"}`;
}

function nodeText({ nodes }: World, at: NodeIndex): string {
  const node = nodes[at];
  if (node === undefined) return "";
  const { process, disk } = node;
  const { phase, finalWords } = disk.journal;
  const state = process === null ? "down" : process.machine.update.kind;
  const words = finalWords.map(({ word, token }) => `${word} ${token}`);
  const journal = phase.kind === "idle" ? words : [phase.kind, ...words];
  return `${nameOf(at)} ${[state, ...journal].join("/")}`;
}

const who = (id: string): string => nameOf([0, 1, 2].find((at) => idOf(at) === id) ?? 9);
