import type { Coordinator } from "./coordinator.ts";

/**
 * A coordinator that does what `current` would do at the moment of each call: for doors that are put together once,
 * while the coordinator behind them is another one after the seat was taken or lost.
 */
export function following(current: () => Coordinator): Coordinator {
  const call = (path: readonly string[], args: readonly unknown[]): unknown => {
    let self: unknown;
    let found: unknown = current();
    for (const name of path) {
      self = found;
      found = Reflect.get(found as object, name);
    }
    return Reflect.apply(found as () => unknown, self, args);
  };
  const follow = (value: object, path: readonly string[]): object =>
    Object.fromEntries(
      Object.entries(value).map(([name, each]: [string, unknown]) => {
        const there = [...path, name];
        if (typeof each === "object" && each !== null) return [name, follow(each, there)];
        return [name, (...args: readonly unknown[]) => call(there, args)];
      }),
    );
  return follow(current(), []) as Coordinator;
}
