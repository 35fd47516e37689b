/**
 * One of several coordinators over one store. One has the seat, and decides: it holds the agents' sessions, grants
 * leases and runs the engine. The others stand by: they answer what is read from the store, and tell events.
 *
 * Invariants: who takes the seat takes up where the last one left off, as after a restart; every write is made under
 * the claim of its seat, so that two who both believe to have it do not both write; who loses it forgets all presence.
 * Source: docs/adr/0095-one-coordinator-decides.md.
 */
import { rememberedStore } from "../store/remembered/store.ts";
import { NotInSeat, seatedStore } from "../store/seated.ts";
import { attempt } from "./attempt.ts";
import { newNonce } from "./context.ts";
import type { Coordinator } from "./coordinator.ts";
import { createCoordinator } from "./create.ts";
import type { Log, Parts } from "./parts.ts";

export { NotInSeat };

/** What says whose turn it is to have the seat. It may be wrong for a moment: the store has the last word. */
export type SeatLock = {
  /** Takes it where nobody has it. True while it is ours, however often it is asked. */
  take(): Promise<boolean>;
  release(): Promise<void>;
};

export type Replica = {
  /** What doors speak to: another one after the seat was taken or lost. Whoever holds on to the old one is refused. */
  current(): Coordinator;
  /** Whether agents should be let in here. */
  hasSeat(): boolean;
  /** Looks after the seat, and then does what is due. Called by a timer. */
  tick(): Promise<void>;
  close(): Promise<void>;
};

/** `changed`: the seat was taken, or lost; called before anything is done in it, and after nothing more is. */
export async function createReplica(
  parts: Parts,
  lock: SeatLock,
  changed: (hasSeat: boolean) => void = () => undefined,
): Promise<Replica> {
  let claim: string | null = null;
  const stand = (): Promise<Coordinator> =>
    createCoordinator({ ...parts, store: seatedStore(parts.store, null, () => undefined), standsBy: true });
  let current = await stand();

  const lost = (): void => {
    if (claim === null) return;
    claim = null;
    changed(false);
  };
  const sit = async (): Promise<void> => {
    const mine = newNonce(parts.random);
    await claimSeat(parts, mine);
    claim = mine;
    changed(true);
    const store = seatedStore(parts.store, mine, () => {
      if (claim === mine) lost();
    });
    const before = current;
    current = await createCoordinator({
      ...parts,
      store: rememberedStore(store),
      log: quietOf(parts.log),
    });
    await before.close();
  };
  const standUp = async (): Promise<void> => {
    const before = current;
    current = await stand();
    await closed(before);
  };
  let seated = false;

  const look = async (): Promise<void> => {
    const isOurs = await lock.take();
    if (!isOurs) lost();
    if (seated && claim === null) {
      seated = false;
      await standUp();
    }
    if (!isOurs || seated) return;
    try {
      await sit();
      seated = true;
    } catch (error) {
      if (!(error instanceof NotInSeat)) throw error;
    }
  };

  return {
    current: () => current,
    hasSeat: () => seated && claim !== null,
    async tick() {
      await look();
      await current.tick();
    },
    async close() {
      await closed(current);
      await lock.release();
    },
  };
}

async function claimSeat({ store, clock }: Parts, claim: string): Promise<void> {
  await attempt(store, async () => {
    const meta = await store.meta();
    const value = { ...meta.value, seat: { claim, since: clock.now() } };
    return { changes: [{ kind: "meta", value, expected: meta.revision }], answer: undefined };
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
