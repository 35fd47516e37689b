import type { NodeId } from "../../../protocol/names.ts";
import type { DurationMs, EpochMs } from "../../../protocol/time.ts";

/** A node is shown anew at most that often for what is not written. */
const EVERY_MS: DurationMs = 1_000;

/**
 * Nodes of which something was heard that is not written (health, progress), for onlookers. What is heard of a node
 * in a second is one piece of news.
 */
export type NodeNews = {
  heard(nodeId: NodeId): void;
  /** Those whose time has come, each once; `forget` when nobody looks. */
  due(now: EpochMs): readonly NodeId[];
  forget(): void;
};

export function createNodeNews(): NodeNews {
  const waiting = new Set<NodeId>();
  const told = new Map<NodeId, EpochMs>();
  return {
    heard: (nodeId) => void waiting.add(nodeId),
    due: (now) => {
      for (const [nodeId, at] of told) if (now - at >= EVERY_MS) told.delete(nodeId);
      const due = [...waiting].filter((nodeId) => !told.has(nodeId));
      for (const nodeId of due) {
        waiting.delete(nodeId);
        told.set(nodeId, now);
      }
      return due;
    },
    forget: () => waiting.clear(),
  };
}
