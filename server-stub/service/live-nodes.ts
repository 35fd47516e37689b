import type { CoordinatorFrame, Orders } from "../../protocol/frames.ts";
import type { GroupName, JobId, NodeId, RolloutId } from "../../protocol/names.ts";
import type { PresenceState } from "../../protocol/node.ts";
import type { EpochMs } from "../../protocol/time.ts";
import type { Presence } from "../core/presence/presence.ts";

/** Where frames for a node can be pushed. */
export type Door = { send(frame: CoordinatorFrame): void; superseded(): void; revoked(): void };

/** What the coordinator wants of a node right now: all of it, computed from what is stored, whenever it is asked. */
export type OrdersBody = Omit<Orders, "type" | "session" | "seq">;

/** What an answer of before rests on. */
export type Steady = {
  readonly group: GroupName;
  readonly address: string | null;
  /** As `WritesNoted` counts them. */
  readonly writes: number;
  readonly within: number;
  readonly atMs: EpochMs;
};

/** What lives in memory for one node, beside the newest session. */
export type LiveNode = {
  presence: Presence | undefined;
  door: Door | undefined;
  /** Number of the last orders in this session, and what they said. */
  ordersSeq: number;
  ordersSaid: string;
  orders: OrdersBody | null;
  /** What the last orders rest on; null where the next heartbeat is to be taken in whatever it says. */
  steady: Steady | null;
  /** Per job whose lines came in this session, or that the node may still have lines of: the next index. */
  logNext: Map<JobId, number>;
  /** A push waits for its turn. */
  pushIsDue: boolean;
  /** Messages that have come and are not taken yet: whoever sent them is there. */
  waiting: number;
  /** As it was last written or read; null before that. */
  presenceWritten: "online" | "offline" | null;
  /** As onlookers were told of it last; everybody begins unheard. */
  presenceTold: PresenceState;
  /** In which it was when it was heard last; null before that. */
  group: GroupName | null;
  /** Where the newest message came from; null before one came. */
  address: string | null;
  /** Seen since last written. */
  unwrittenSeenAt: EpochMs | null;
};

/** What nodes of a group said that others are still to be told of. */
export type Said = {
  readonly nodeIds: Set<NodeId>;
  /** Rollouts whose jobs changed by it, over or not. */
  readonly rolloutIds: Set<RolloutId>;
  /** All of the group are to be told, and not only who spoke. */
  isForOthers: boolean;
  /** When it has been followed up. */
  readonly done: Promise<void>;
};

export type Live = {
  get(id: NodeId): LiveNode;
  presence(id: NodeId): Presence | undefined;
  forget(id: NodeId): void;
  all(): Iterable<readonly [NodeId, LiveNode]>;
  /** By group. */
  readonly said: Map<GroupName, Said>;
  /** Runs one thing after the other for a node, or for whatever else has a name of its own. */
  inTurn<T>(id: string, work: () => Promise<T>): Promise<T>;
  /** Something is being done for the node, or waits to be. */
  isBusy(id: NodeId): boolean;
  /** When everything that was asked for has been done. */
  idle(): Promise<void>;
};

export function createLive(): Live {
  const nodes = new Map<NodeId, LiveNode>();
  const queues = new Map<string, Promise<unknown>>();
  return {
    get: (id) => {
      const known = nodes.get(id);
      if (known !== undefined) return known;
      const fresh: LiveNode = {
        presence: undefined,
        door: undefined,
        ordersSeq: 0,
        ordersSaid: "",
        orders: null,
        steady: null,
        logNext: new Map(),
        pushIsDue: false,
        waiting: 0,
        presenceWritten: null,
        presenceTold: "unknown",
        group: null,
        address: null,
        unwrittenSeenAt: null,
      };
      nodes.set(id, fresh);
      return fresh;
    },
    presence: (id) => nodes.get(id)?.presence,
    forget: (id) => nodes.delete(id),
    all: () => nodes,
    said: new Map(),
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
    isBusy: (id) => queues.has(id),
    idle: async () => {
      while (queues.size > 0) await Promise.all(queues.values());
    },
  };
}
