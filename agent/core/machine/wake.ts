import type { UptimeMs } from "../../../protocol/time.ts";
import type { Machine } from "./transition.ts";

/** Uptime at which the machine wants its next `tick`; null when it waits for something else. */
export function wakeAt({ facts, update }: Machine): UptimeMs | null {
  switch (update.kind) {
    case "idle":
      return update.backoff?.until ?? null;
    case "prepared":
      // Without a turn or a session there is nothing to be done at that time.
      return facts.session === null || facts.orders.turn === null ? null : (update.denied?.until ?? null);
    case "handing-over":
      return update.renewal === null && facts.session !== null
        ? Math.min(update.renewAt, update.reservedUntil)
        : update.reservedUntil;
    case "draining":
      return update.actBy;
    case "probation":
      return update.deadline;
    case "committing":
    case "resuming":
    case "confirming":
    case "going-back":
      return update.retryAt;
    case "preparing":
    case "reserving":
    case "swapping":
    case "exiting":
      return null;
  }
}
