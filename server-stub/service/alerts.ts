import type { Alert } from "../../protocol/alert.ts";
import { PAGE_SIZE } from "../../protocol/paging.ts";
import { ok, type Result } from "../../protocol/result.ts";
import { attempt } from "./attempt.ts";
import { actorOf, audit } from "./audit.ts";
import type { Context } from "./context.ts";
import type { Alerts, Refusal } from "./coordinator.ts";
import { noAlert } from "./refusals.ts";

export const createAlerts = (ctx: Context): Alerts => ({
  list: ({ state = "all", limit = PAGE_SIZE.most, ...filter } = {}) =>
    ctx.store.alerts({ ...filter, state, limit }),

  async acknowledge(by, id, { note = null }) {
    const done = await attempt<Result<Alert, Refusal>>(ctx.store, async () => {
      const alert = await ctx.store.alert(id);
      if (alert === null) return { changes: [], answer: noAlert(id) };
      if (alert.acknowledgedAt !== null) return { changes: [], answer: ok(alert) };
      const { actor } = actorOf(by);
      const said = { kind: alert.kind, about: alert.subject, note };
      const changes = [
        { kind: "acknowledge", id, by: actor, note, at: ctx.wall() } as const,
        audit(ctx, actorOf(by), "alert.acknowledged", String(id), null, said),
      ];
      return { changes, answer: ok(alert) };
    });
    if (!done.ok) return done;
    const alert = await ctx.store.alert(id);
    return alert === null ? noAlert(id) : ok(alert);
  },
});
