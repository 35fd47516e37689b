import { ok } from "../../../protocol/result.ts";
import type { Context } from "../context.ts";
import type { EventsAtWork } from "../coordinator.ts";
import { refuse } from "../refusals.ts";
import { createHub } from "./hub.ts";
import { MAX_BEHIND, Subscription } from "./subscription.ts";
import { createViews, type Readers } from "./views.ts";

/** Where a reader was: the token epoch, which a restore raises, and the id of the last event. */
const POSITION = /^(\d{1,10})-(\d{1,16})$/;
const RETRY_AFTER_MS = 10_000;

/** What the events need to know. */
export type EventsContext = Pick<
  Context,
  "store" | "log" | "now" | "wall" | "streamsPerToken" | "nodeNews"
> & { readonly leasePolicy: Pick<Context["leasePolicy"], "epoch"> };

export function createEvents(ctx: EventsContext, read: Readers): EventsAtWork {
  const failed = (error: unknown): void =>
    ctx.log.error({ err: error }, "events could not be read; the next change tries again");
  const hub = createHub(ctx.store, failed);
  const views = createViews(read, ctx.now, (err, kind) =>
    ctx.log.error({ err, kind }, "an event has no value because it could not be read"),
  );
  const forgetOld = {
    news: (records: Parameters<Subscription["news"]>[0]) => {
      for (const { kind, subject } of records) views.forget(kind, subject);
    },
  };
  const streams = new Map<string, Set<Subscription>>();
  const leave = (who: string, stream: Subscription): void => {
    const open = streams.get(who);
    if (open?.delete(stream) !== true) return;
    if (open.size === 0) streams.delete(who);
    hub.leave(stream);
    if (streams.size === 0) hub.leave(forgetOld);
  };
  const all = (): readonly Subscription[] => [...streams.values()].flatMap((open) => [...open]);

  return {
    async open(by, { after, kinds }) {
      const who = by.kind === "node" ? by.nodeId : by.id;
      const open = streams.get(who) ?? new Set();
      if (open.size >= ctx.streamsPerToken) {
        return refuse("too-many-requests", `This token has ${open.size} streams of events open already.`, {
          hint: "Close one of them, or use a token of its own for every reader.",
          retryAfterMs: RETRY_AFTER_MS,
        });
      }
      const { epoch } = ctx.leasePolicy;
      const stream = new Subscription({ hub, views, epoch, kinds, tokenId: who, after: 0 });
      streams.set(who, open.add(stream));
      stream.signal.addEventListener("abort", () => leave(who, stream), { once: true });
      try {
        // First of all, so that no value that others are shown is older than what they are told.
        await hub.join(forgetOld);
        const { at, missing } = await placeOf(ctx, after, () => hub.head());
        stream.begin(at, missing);
        await hub.join(stream);
      } catch (error) {
        stream.close();
        throw error;
      }
      return ok(stream);
    },
    tick() {
      if (streams.size === 0) return ctx.nodeNews.forget();
      void hub.look();
      for (const nodeId of ctx.nodeNews.due(ctx.now())) {
        views.forget("node", nodeId);
        for (const stream of all()) stream.heard(nodeId, ctx.wall());
      }
    },
    close() {
      for (const stream of all()) stream.close();
    },
  };
}

/** Where a reader begins, and why it has to read everything anew first, if it has to. */
async function placeOf(
  ctx: EventsContext,
  after: string | null,
  head: () => number,
): Promise<{ at: number; missing: string | null }> {
  if (after === null) return { at: head(), missing: null };
  const [, epoch, id] = POSITION.exec(after) ?? [];
  const oldest = await ctx.store.oldestEventId();
  const at = Number(id);
  const missing = (reason: string) => ({ at: head(), missing: reason });
  if (id === undefined) return missing("The last event id is none of this coordinator.");
  if (Number(epoch) !== ctx.leasePolicy.epoch || at > head())
    return missing("The coordinator was restored from a backup since.");
  if (at < oldest - 1) return missing("What happened since is no longer kept.");
  if (head() - at > MAX_BEHIND) return missing("Too much has happened since.");
  return { at, missing: null };
}
