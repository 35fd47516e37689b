import type { EpochMs } from "../../../protocol/time.ts";
import { isAlertChange } from "../alerts.ts";
import { type EventDraft, eventsOf, lastOfEach } from "../events.ts";
import { noticesOf } from "../notices.ts";
import type { Applied, Change } from "../records.ts";
import { isWebhookChange } from "../webhooks.ts";
import type { prepareAlerts } from "./alerts.ts";
import type { prepareEvents } from "./events.ts";
import type { Runner } from "./prepared.ts";
import type { prepareWebhooks } from "./webhooks.ts";
import { Conflict, type WriteChange } from "./writes.ts";

type Topics = {
  readonly write: WriteChange;
  readonly alerts: ReturnType<typeof prepareAlerts>;
  readonly webhooks: ReturnType<typeof prepareWebhooks>;
  readonly events: ReturnType<typeof prepareEvents>;
  readonly now: () => EpochMs;
};

/**
 * Runs a batch in the transaction that `runner` is: the changes, the messages that webhooks are to be told of them,
 * and the events that they mean. Throws `Conflict` so that the transaction is undone.
 */
export function writeBatch(on: Topics) {
  return async (runner: Runner, changes: readonly Change[]): Promise<Applied> => {
    const news: EventDraft[] = [];
    for (const change of changes) news.push(...(await writeOne(on, runner, change)));
    if (news.length > 0) await on.events.append(runner, on.now(), lastOfEach(news));
    return { ok: true };
  };
}

/** The events that it means. */
async function writeOne(
  { write, alerts, webhooks }: Topics,
  runner: Runner,
  change: Change,
): Promise<readonly EventDraft[]> {
  if (isAlertChange(change)) {
    const changed = await alerts.write(runner, change);
    await webhooks.tell(runner, noticesOf(change, changed));
    return eventsOf(change, changed);
  }
  if (change.kind === "notice") {
    await webhooks.tell(runner, noticesOf(change, []));
  } else if (change.kind !== "announce") {
    const done = isWebhookChange(change) ? webhooks.change(runner, change) : write(runner, change);
    if (!(await done)) throw new Conflict(change.kind);
  }
  return eventsOf(change);
}
