import type { EventRecord } from "../../store/events.ts";
import type { Store } from "../../store/store.ts";

/** How much is read at once, and how much of the latest is kept for those who follow. */
const PAGE = 500;
const RECENT = 4_000;

/** Somebody who is told that there is more to read. */
export type Follower = { news(records: readonly EventRecord[], head: number): void };

/**
 * The end of the store's events, read once for all who follow. It reads only while somebody does. A poke says that
 * there may be more; who missed one is right again with the next.
 */
export type Hub = {
  /** Id of the last event that was read. */
  head(): number;
  /** At most `limit` events after `after`. */
  read(after: number, limit: number): Promise<readonly EventRecord[]>;
  join(follower: Follower): Promise<void>;
  leave(follower: Follower): void;
  followers(): number;
  /** Looks whether there is more, poke or no poke. */
  look(): Promise<void>;
};

export function createHub(store: Store, failed: (error: unknown) => void): Hub {
  const followers = new Set<Follower>();
  let recent: EventRecord[] = [];
  /** `recent` holds everything from there to the head. */
  let floor = 0;
  let head = 0;
  let off: (() => void) | null = null;
  let looking: Promise<void> | null = null;
  let again = false;

  const readOn = async (): Promise<void> => {
    do {
      again = false;
      const records = await store.changesSince(head, PAGE);
      if (off === null || records.length === 0) continue;
      head = records.at(-1)?.id ?? head;
      recent.push(...records);
      if (recent.length > RECENT) {
        const dropped = recent.splice(0, recent.length - RECENT);
        floor = dropped.at(-1)?.id ?? floor;
      }
      for (const follower of followers) follower.news(records, head);
      again = again || records.length === PAGE;
    } while (again);
  };
  const look = (): Promise<void> => {
    if (off === null) return Promise.resolve();
    again = true;
    looking ??= readOn()
      .catch(failed)
      .finally(() => {
        looking = null;
      });
    return looking;
  };
  const begin = async (): Promise<void> => {
    off = store.onChange(() => void look());
    recent = [];
    head = await store.lastEventId();
    floor = head;
  };
  let begun: Promise<void> | null = null;

  return {
    head: () => head,
    read: async (after, limit) => {
      if (after < floor) return store.changesSince(after, limit);
      const from = recent.findIndex(({ id }) => id > after);
      return from === -1 ? [] : recent.slice(from, from + limit);
    },
    join: async (follower) => {
      followers.add(follower);
      begun ??= begin();
      await begun;
      await look();
    },
    leave: (follower) => {
      followers.delete(follower);
      if (followers.size > 0) return;
      off?.();
      off = null;
      begun = null;
    },
    followers: () => followers.size,
    look,
  };
}
