/**
 * The coordinator's store as a process sees it: writes take their time, and a process that has died neither writes nor
 * learns anything more, though what it asked for may have been done.
 */
import type { Change } from "../../server-stub/store/records.ts";
import type { Store } from "../../server-stub/store/store.ts";
import type { MachineClock } from "./clock.ts";
import type { Random } from "./random.ts";
import type { Time } from "./time.ts";

export type StoreWorld = {
  readonly time: Time;
  readonly clock: MachineClock;
  readonly random: Random;
  readonly isAlive: () => boolean;
  /** How much longer than usual writes take. */
  readonly slowness: () => number;
  /** It works on a real disk. */
  readonly isReal: boolean;
  /** Told of what has become durable, before anybody else learns of it. */
  readonly written: (changes: readonly Change[]) => void;
};

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

export function storeOfProcess(inner: Store, world: StoreWorld): Store {
  const { time, clock, random, isAlive, isReal, slowness } = world;
  const wait = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));
  const real = <T>(work: Promise<T>): Promise<T> => (isReal ? time.outside(work) : work);
  const apply: Store["apply"] = async (changes) => {
    if (!isAlive()) return never();
    await wait(random.next() * 1.5 * slowness());
    if (!isAlive()) return never();
    const applied = await real(inner.apply(changes));
    if (applied.ok) world.written(changes);
    if (slowness() > 1 || random.chance(0.3)) await wait(random.next() * slowness());
    return isAlive() ? applied : never();
  };
  const gated = new Map<string | symbol, unknown>();
  return new Proxy(inner, {
    get: (target, name) => {
      if (name === "apply") return apply;
      const known = gated.get(name);
      if (known !== undefined) return known;
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function" || name === "onChange") return member;
      const read = (...args: unknown[]): Promise<unknown> => {
        if (!isAlive()) return never();
        return real(Reflect.apply(member, target, args) as Promise<unknown>).then((found) =>
          isAlive() ? found : never(),
        );
      };
      gated.set(name, read);
      return read;
    },
  });
}
