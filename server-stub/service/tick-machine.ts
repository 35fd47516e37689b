/** Watches what the coordinator itself needs of its machine: room on the disk, a certificate that holds. */
import type { DurationMs } from "../../protocol/time.ts";
import type { Change } from "../store/records.ts";
import type { Context } from "./context.ts";
import type { Machine } from "./parts.ts";

/** Below either of the two there is too little; it is enough again only some way above. */
const LOW = { share: 0.1, bytes: 2 ** 30 };
const ENOUGH_AGAIN = 1.2;
const CERTIFICATE_MS: DurationMs = 14 * 86_400_000;

const SUBJECT = "coordinator";

export async function tickMachine(ctx: Context, machine: Machine): Promise<void> {
  for (const watch of [watchDisk, watchCertificate]) {
    const changes = await watch(ctx, machine).catch((error: unknown) => {
      ctx.log.warn({ err: error }, "the coordinator's own machine could not be looked at");
      return [];
    });
    if (changes.length > 0) await ctx.store.apply(changes);
  }
}

async function watchDisk(ctx: Context, machine: Machine): Promise<Change[]> {
  const { freeBytes, totalBytes } = await machine.disk();
  const about = { alert: "coordinator_disk_low", subject: SUBJECT, at: ctx.wall() } as const;
  const isAbove = (times: number): boolean =>
    freeBytes >= times * LOW.bytes && freeBytes >= times * LOW.share * totalBytes;
  const isOpen = (await ctx.store.openAlerts("coordinator_disk_low")).length > 0;
  const left = `${(freeBytes / 2 ** 30).toFixed(1)} GiB of ${(totalBytes / 2 ** 30).toFixed(1)} GiB`;
  if (!isOpen && !isAbove(1)) {
    return [{ kind: "raise", ...about, message: `The disk of the coordinator has only ${left} left.` }];
  }
  if (isOpen && isAbove(ENOUGH_AGAIN))
    return [{ kind: "resolve", ...about, because: `It has ${left} left.` }];
  return [];
}

async function watchCertificate(ctx: Context, machine: Machine): Promise<Change[]> {
  const about = { alert: "certificate_expiring", subject: SUBJECT, at: ctx.wall() } as const;
  const expiresAt = await machine.certificate();
  const isOpen = (await ctx.store.openAlerts("certificate_expiring")).length > 0;
  const isEnding = expiresAt !== null && expiresAt - ctx.wall() < CERTIFICATE_MS;
  if (isEnding === isOpen) return [];
  if (!isEnding) return [{ kind: "resolve", ...about, because: "Another certificate is in its place." }];
  const day = new Date(expiresAt).toISOString();
  const ends = expiresAt <= ctx.wall() ? "expired" : "expires";
  return [{ kind: "raise", ...about, message: `The certificate of the coordinator ${ends} on ${day}.` }];
}
