import type { Store } from "./store.ts";

/**
 * A coordinator that does not have the seat was about to write, or has lost it meanwhile. Nothing was written. Whoever
 * has the seat now knows nothing of what was asked.
 */
export class NotInSeat extends Error {
  constructor() {
    super("another coordinator decides now, and nothing was written");
    this.name = "NotInSeat";
  }
}

/**
 * The same store for a coordinator among several: it writes only while the seat is taken under its own claim, which is
 * looked at in the transaction of every write. So one that was thought dead, and wakes up, writes nothing. `seat` is its claim,
 * null: it stands by, or has lost the seat by now, and only reads. Its writes throw `NotInSeat`, and `lost` is called.
 */
export const seatedStore = (store: Store, seat: () => string | null, lost: () => void): Store => ({
  ...store,
  apply: async (changes) => {
    const claim = seat();
    if (claim === null) throw new NotInSeat();
    const applied = await store.apply([{ kind: "in-seat", claim }, ...changes]);
    if (applied.ok || applied.conflict !== "in-seat") return applied;
    lost();
    throw new NotInSeat();
  },
});
