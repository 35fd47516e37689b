import type { EpochMs } from "../../protocol/time.ts";
import { restoreEpoch } from "../core/lease/epoch.ts";
import type { Store } from "../store/store.ts";
import { attempt } from "./attempt.ts";
import type { Log } from "./parts.ts";
import { markRestored } from "./restart.ts";

/**
 * Before a coordinator begins on a database that is not the one that the last one began on: a standby was promoted, or
 * it came out of a backup, and what was written last may be lost. So no token is given twice: tokens jump to a new
 * epoch, reservations are dropped, and nodes say again what they are about (`markRestored`); orders stay. Several may
 * call it at once, and it is done once.
 */
export async function settleIncarnation(
  store: Store,
  incarnation: string,
  now: EpochMs,
  log: Log,
): Promise<void> {
  const { value } = await store.meta();
  if (value.incarnation === incarnation) return;
  if (value.incarnation === undefined) {
    await attempt(store, async () => {
      const meta = await store.meta();
      const isNew = meta.value.incarnation === undefined;
      const change = {
        kind: "meta",
        value: { ...meta.value, incarnation },
        expected: meta.revision,
      } as const;
      return { changes: isNew ? [change] : [], answer: undefined };
    });
    return;
  }
  const tokenEpoch = await markRestored(store, now, restoreEpoch(now), { keepOrders: true, incarnation });
  log.warn(
    { before: value.incarnation, now: incarnation, tokenEpoch },
    "the database has failed over: lease tokens begin anew, and reservations are dropped",
  );
}
