import type { Change } from "../store/records.ts";
import type { Context } from "./context.ts";

/** Signs what the coordinator signs anew before it expires, and warns of what only a person can sign. */
export async function tickTrust(ctx: Context): Promise<void> {
  const signed = await ctx.repository.resign(ctx.wall());
  if (!signed.ok)
    ctx.log.warn({ code: signed.error.code, reason: signed.error.message }, "metadata was not re-signed");
  else if (signed.value.length > 0) ctx.log.info({ roles: signed.value }, "metadata was re-signed");
  const at = ctx.wall();
  const expiring = ctx.repository.expiring(at);
  const open = new Set((await ctx.store.openAlerts("metadata_expiring")).map((alert) => alert.subject));
  const changes: Change[] = [];
  for (const { role, expires, leftMs } of expiring) {
    const message =
      leftMs <= 0
        ? `The ${role} metadata expired on ${expires}.`
        : `The ${role} metadata expires on ${expires}.`;
    if (!open.delete(role)) {
      changes.push({ kind: "raise", alert: "metadata_expiring", subject: role, message, at });
    }
  }
  const because = "It was signed anew.";
  for (const subject of open)
    changes.push({ kind: "resolve", alert: "metadata_expiring", subject, at, because });
  if (changes.length > 0) await ctx.store.apply(changes);
}
