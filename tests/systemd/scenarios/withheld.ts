import type { Fleet } from "../fleet/fleet.ts";

/** Orders that say keep it; they are lost on the way to every node that is not let through. */
export type Withheld = { letThrough(...names: readonly string[]): void };

const CONFIRM = /"confirm":\{/;

/** From now on no confirm reaches a node, as if the network ate it; everything else does. Needs a proxied fleet. */
export function withholdConfirms(fleet: Fleet): Withheld {
  const through = new Set<string>();
  fleet.proxy.filterFrames(({ direction, text, from }) =>
    direction === "toClient" && CONFIRM.test(text) && !through.has(from) ? "drop" : "pass",
  );
  return {
    letThrough: (...names) => {
      for (const name of names) through.add(fleet.machine(name).address);
    },
  };
}
