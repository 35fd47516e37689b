import type { CoordinatorFrame } from "../../protocol/frames.ts";
import type { JobId, NodeId } from "../../protocol/names.ts";
import type { PresenceState } from "../../protocol/node.ts";
import type { EpochMs } from "../../protocol/time.ts";
import type { Presence } from "../core/presence/presence.ts";

/** Where frames for a node can be pushed. */
export type Door = { send(frame: CoordinatorFrame): void; superseded(): void; revoked(): void };

/** What lives in memory for one node, beside the newest session. */
export type LiveNode = {
  presence: Presence | undefined;
  door: Door | undefined;
  /** Number of the last orders in this session, and what they said. */
  ordersSeq: number;
  ordersSaid: string;
  /** Per job whose lines came in this session, or that the node may still have lines of: the next index. */
  logNext: Map<JobId, number>;
  /** As it was last written or read; null before that. */
  presenceWritten: "online" | "offline" | null;
  /** As onlookers were told of it last; everybody begins unheard. */
  presenceTold: PresenceState;
  /** Where the newest message came from; null before one came. */
  address: string | null;
  /** Seen since last written. */
  unwrittenSeenAt: EpochMs | null;
};

export type Live = {
  get(id: NodeId): LiveNode;
  presence(id: NodeId): Presence | undefined;
  forget(id: NodeId): void;
  all(): Iterable<readonly [NodeId, LiveNode]>;
  /** Runs one thing after the other for a node. */
  inTurn<T>(id: NodeId, work: () => Promise<T>): Promise<T>;
  /** When everything that was asked for has been done. */
  idle(): Promise<void>;
};

export function createLive(): Live {
  const nodes = new Map<NodeId, LiveNode>();
  const queues = new Map<NodeId, Promise<unknown>>();
  return {
    get: (id) => {
      const known = nodes.get(id);
      if (known !== undefined) return known;
      const fresh: LiveNode = {
        presence: undefined,
        door: undefined,
        ordersSeq: 0,
        ordersSaid: "",
        logNext: new Map(),
        presenceWritten: null,
        presenceTold: "unknown",
        address: null,
        unwrittenSeenAt: null,
      };
      nodes.set(id, fresh);
      return fresh;
    },
    presence: (id) => nodes.get(id)?.presence,
    forget: (id) => nodes.delete(id),
    all: () => nodes,
    inTurn: (id, work) => {
      const before = queues.get(id) ?? Promise.resolve();
      const run = before.then(work);
      const after = run
        .catch(() => undefined)
        .finally(() => {
          if (queues.get(id) === after) queues.delete(id);
        });
      queues.set(id, after);
      return run;
    },
    idle: async () => {
      while (queues.size > 0) await Promise.all(queues.values());
    },
  };
}
