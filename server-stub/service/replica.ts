/**
 * One of several coordinators over one store. One has the seat, and decides: it holds the agents' sessions, grants
 * leases and runs the engine. The others stand by: they answer what is read from the store, and tell events.
 *
 * Invariants: who takes the seat takes up where the last one left off, as after a restart; every write is made under
 * the claim of its seat, so that two who both believe to have it do not both write; who loses it forgets all presence.
 * Streams of events are the process's own, and go on whoever has the seat.
 * Source: docs/adr/0095-one-coordinator-decides.md.
 */
import type { Seat } from "../store/records.ts";
import { rememberedStore } from "../store/remembered/store.ts";
import { NotInSeat, seatedStore } from "../store/seated.ts";
import { StoreAway } from "../store/sql/transact.ts";
import { attempt } from "./attempt.ts";
import { newNonce } from "./context.ts";
import type { Coordinator } from "./coordinator.ts";
import { createCoordinator } from "./create.ts";
import { createSharedEvents, type SharedEvents, type ShowsElsewhere } from "./events/shared.ts";
import type { Log, Parts } from "./parts.ts";

export { NotInSeat, StoreAway };

/** What says whose turn it is to have the seat. It may be wrong for a moment: the store has the last word. */
export type SeatLock = {
  /** Takes it where nobody has it. True while it is ours, however often it is asked. */
  take(): Promise<boolean>;
  release(): Promise<void>;
};

export type Replica = {
  /** What doors speak to: another one after the seat was taken or lost. Whoever holds on to the old one is refused. */
  readonly current: () => Coordinator;
  /** Whether agents should be let in here. */
  readonly hasSeat: () => boolean;
  /** Who has the seat, as it was last seen; null while nobody is known to have it. */
  readonly seat: () => Seat | null;
  /** For what is written elsewhere than in the store. Throws `NotInSeat` where the store says that another one has it. */
  readonly checkSeat: () => Promise<void>;
  /** Looks after the seat. Called by a timer, and whenever the seat may have come free. */
  look(): Promise<void>;
  /** Looks after the seat, and then does what is due. Called by a timer. */
  tick(): Promise<void>;
  readonly onHeard: SharedEvents["onHeard"];
  readonly heardElsewhere: SharedEvents["heardElsewhere"];
  /** Gives the seat up. May be called again. */
  close(): Promise<void>;
};

export type ReplicaOptions = {
  /** The seat was taken, or lost; called before anything is done in it, and after nothing more is. */
  readonly changed?: (hasSeat: boolean) => void;
  /** Where others reach this one while it has the seat. */
  readonly address?: () => string | null;
  /** What who has the seat shows, for events that are told here. */
  readonly elsewhere?: ShowsElsewhere;
};

export async function createReplica(
  parts: Parts,
  lock: SeatLock,
  {
    changed = () => undefined,
    address = () => null,
    elsewhere = () => Promise.resolve(null),
  }: ReplicaOptions = {},
): Promise<Replica> {
  /** Under which this one writes, and under which it decides: it does so once it has taken up everything. */
  let mine: Seat | null = null;
  let seated: Seat | null = null;
  let others: Seat | null = null;
  const shared = await createSharedEvents(parts, () => current.shows, elsewhere);
  const standing = await createCoordinator({
    ...parts,
    shared,
    store: seatedStore(
      parts.store,
      () => null,
      () => undefined,
    ),
    standsBy: true,
  });
  let current = standing;
  /** Those that have decided and come to their end: what they wait for holds nobody up. */
  const ending = new Set<Promise<void>>();
  const retire = (coordinator: Coordinator): void => {
    if (coordinator === standing) return;
    const end = closed(coordinator)
      .catch((error: unknown) => parts.log.warn({ err: error }, "not everything could be noted at the end"))
      .finally(() => ending.delete(end));
    ending.add(end);
  };

  const holdsClaim = async ({ claim }: Seat): Promise<boolean> =>
    (await parts.store.meta()).value.seat?.claim === claim;
  const lost = (): void => {
    if (mine === null) return;
    mine = null;
    seated = null;
    changed(false);
    const before = current;
    current = standing;
    retire(before);
  };
  const sit = async (): Promise<void> => {
    const seat = await takeSeat(parts, address());
    mine = seat;
    changed(true);
    const store = seatedStore(
      parts.store,
      () => (mine === seat ? seat.claim : null),
      () => {
        if (mine === seat) lost();
      },
    );
    await parts.repository.refresh?.();
    const made = await createCoordinator({
      ...parts,
      shared,
      store: rememberedStore(store),
      log: quietOf(parts.log),
    });
    if (mine !== seat) return retire(made);
    current = made;
    seated = seat;
  };

  const lookOnce = async (): Promise<void> => {
    const isOurs = await lock.take();
    // Another one may have had the lock and the seat while this one slept: what is known here is old.
    if (!isOurs || (mine !== null && !(await holdsClaim(mine)))) lost();
    if (isOurs && seated !== null) return;
    if (!isOurs) {
      others = (await parts.store.meta()).value.seat ?? null;
      return;
    }
    others = null;
    try {
      await sit();
    } catch (error) {
      if (!(error instanceof NotInSeat)) throw error;
    }
  };
  let looking: Promise<void> | null = null;
  let isClosed = false;
  const look = (): Promise<void> => {
    if (isClosed) return Promise.resolve();
    looking ??= lookOnce().finally(() => {
      looking = null;
    });
    return looking;
  };

  return {
    current: () => current,
    hasSeat: () => seated !== null,
    seat: () => seated ?? others,
    checkSeat: async () => {
      if (mine === null || !(await holdsClaim(mine))) throw new NotInSeat();
    },
    look,
    onHeard: shared.onHeard,
    heardElsewhere: shared.heardElsewhere,
    async tick() {
      await look();
      await current.tick();
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      shared.events.close();
      try {
        await looking;
      } finally {
        // Nobody waits for what is still to be noted: whoever decides next does what was not done.
        await lock.release();
      }
      await Promise.all([...ending, closed(current)]);
      if (current !== standing) await standing.close();
    },
  };
}

async function takeSeat({ store, clock, random }: Parts, address: string | null): Promise<Seat> {
  const seat = { claim: newNonce(random), since: clock.now(), ...(address === null ? {} : { address }) };
  return attempt(store, async () => {
    const meta = await store.meta();
    const value = { ...meta.value, seat };
    return { changes: [{ kind: "meta", value, expected: meta.revision }], answer: seat };
  });
}

/** What it had still wanted to write is not written. */
async function closed(coordinator: Coordinator): Promise<void> {
  try {
    await coordinator.close();
  } catch (error) {
    if (!(error instanceof NotInSeat)) throw error;
  }
}

/** That the seat was lost in the middle of something is no fault of anything. */
const quietOf = (log: Log): Log => ({
  debug: (...said) => log.debug(...said),
  info: (...said) => log.info(...said),
  warn: (...said) => log.warn(...said),
  error: (fields, message) => {
    if ("err" in fields && fields.err instanceof NotInSeat) log.info({}, `no longer in the seat: ${message}`);
    else log.error(fields, message);
  },
});
