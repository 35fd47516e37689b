/**
 * The coordinator's store as a process sees it: writes take their time, and a process that has died neither writes nor
 * learns anything more, though what it asked for may have been done.
 */
import { writeOnce } from "../../server-stub/store/postgres/write-once.ts";
import type { Applied, Change } from "../../server-stub/store/records.ts";
import { StoreAway } from "../../server-stub/store/sql/transact.ts";
import type { Store } from "../../server-stub/store/store.ts";
import type { MachineClock } from "./clock.ts";
import type { Client, Database } from "./database.ts";
import { Acknowledged } from "./invariants/acknowledged.ts";
import type { Random } from "./random.ts";
import type { Time } from "./time.ts";

export type StoreWorld = {
  readonly name: string;
  readonly time: Time;
  readonly clock: MachineClock;
  readonly random: Random;
  readonly isAlive: () => boolean;
  /** How much longer than usual writes take. */
  readonly slowness: () => number;
  /** It works on a real disk. */
  readonly isReal: boolean;
  /** The server that it is on; null for a file of its own. */
  readonly database: Database | null;
  /** Told of what has become durable, before anybody else learns of it; `askedAt`: when it was asked for, by the clock. */
  readonly written: (changes: readonly Change[], askedAt: number) => void;
  readonly broke: (cause: Error) => void;
};

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

export function storeOfProcess(inner: Store, world: StoreWorld): Store {
  const { name, time, clock, random, isAlive, isReal, slowness, database } = world;
  const wait = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));
  const real = <T>(work: Promise<T>): Promise<T> => (isReal ? time.outside(work) : work);
  const waitAlive = (ms: number) =>
    new Promise<void>((resolve) => {
      clock.after(ms, () => {
        if (isAlive()) resolve();
      });
    });
  const client: Client = { name, random, wait: waitAlive, isAwake: () => !clock.isAsleep };

  const execute = async (changes: readonly Change[], askedAt: number): Promise<Applied> => {
    const applied = await real(inner.apply(changes));
    if (applied.ok) world.written(changes, askedAt);
    return applied;
  };
  const applyThere = async (server: Database, changes: readonly Change[]): Promise<Applied> => {
    const batch = new Acknowledged(changes, world.broke);
    const askedAt = clock.uptime();
    const done: Applied = { ok: true };
    const writing = server.writing(
      client,
      done,
      async () => batch.executed(await execute(changes, askedAt)),
      ({ ok }) => ok,
    );
    try {
      return batch.told(await writeOnce(writing, { wait: waitAlive, uptime: () => clock.uptime() }));
    } catch (cause) {
      if (cause instanceof StoreAway && isAlive()) batch.away(cause);
      throw cause;
    }
  };
  const apply: Store["apply"] = async (changes) => {
    if (!isAlive()) return never();
    await wait(random.next() * 1.5 * slowness());
    if (!isAlive()) return never();
    try {
      const applied = await (database === null
        ? execute(changes, clock.uptime())
        : applyThere(database, changes));
      if (slowness() > 1 || random.chance(0.3)) await wait(random.next() * slowness());
      return isAlive() ? applied : never();
    } catch (cause) {
      if (!isAlive()) return never();
      throw cause;
    }
  };
  const gated = new Map<string | symbol, unknown>();
  return new Proxy(inner, {
    get: (target, member) => {
      if (member === "apply") return apply;
      const known = gated.get(member);
      if (known !== undefined) return known;
      const found: unknown = Reflect.get(target, member);
      if (typeof found !== "function" || member === "onChange") return found;
      const ask = (args: unknown[]) => real(Reflect.apply(found, target, args) as Promise<unknown>);
      const readHere = (args: unknown[]): Promise<unknown> =>
        isAlive() ? ask(args).then((answer) => (isAlive() ? answer : never())) : never();
      const read = (...args: unknown[]): Promise<unknown> =>
        isAlive() && database?.isFar(client) === true
          ? database.reach(client).then(() => readHere(args))
          : readHere(args);
      gated.set(member, read);
      return read;
    },
  });
}
