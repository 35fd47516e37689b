import { ROLLOUT_NOTICES } from "../../../protocol/webhook.ts";
import type { RolloutHead } from "../../core/rollout/rollout.ts";
import type { Change } from "../../store/records.ts";
import type { Context } from "../context.ts";

/** Tells the webhooks that want to know what became of a rollout: its new status, `started` or `retried`. */
export function rolloutNotice(ctx: Context, rollout: RolloutHead, what: string): Change[] {
  const event = ROLLOUT_NOTICES.find((each) => each === `rollout.${what}`);
  if (event === undefined) return [];
  const { id, release, status, reason } = rollout;
  const brief = { id, release, status, reason: reason?.message ?? null };
  return [{ kind: "notice", event, rollout: brief, at: ctx.wall() }];
}
