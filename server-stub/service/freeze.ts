/** Freezes: while one stands nobody begins to be disrupted, and what is in flight finishes. */
import type { Freeze, FreezeRequest } from "../../protocol/policy.ts";
import { ok, type Result } from "../../protocol/result.ts";
import type { EpochMs } from "../../protocol/time.ts";
import { standing } from "../core/window/gate.ts";
import type { Change } from "../store/records.ts";
import { actorOf, audit } from "./audit.ts";
import type { Context } from "./context.ts";
import type { Principal, Refusal } from "./coordinator.ts";
import { refuse } from "./refusals.ts";

/** What can be frozen, as it was read: `write` gives it another freeze, or none. */
export type Freezable = {
  readonly freeze: Freeze | null;
  /** Under which name it is in the audit log: `policy`, or `group` with its own. */
  readonly kind: "policy" | "group";
  readonly subject: string;
  write(freeze: Freeze | null): Change;
};

/** No instant is later: ECMA-262, 21.4.1.1. */
const LAST_DAY_MS: EpochMs = 8_640_000_000_000_000;

/** Nothing to write when it is frozen like this already. Refusal: `malformed` for a time that has passed. */
export function freezing(
  ctx: Context,
  by: Principal,
  what: Freezable,
  { reason, until = null }: FreezeRequest,
): Result<Change[], Refusal> {
  const now = ctx.wall();
  if (until !== null && until <= now) {
    return refuse("malformed", "The freeze would have ended before it began; nothing was changed.", {
      hint: "Name a time that is still to come, in milliseconds since 1970, or none.",
      context: { place: "body/until" },
    });
  }
  if (until !== null && until > LAST_DAY_MS) {
    return refuse(
      "malformed",
      "The freeze would end beyond the last day of any calendar; nothing was changed.",
      {
        hint: "Name a time in milliseconds since 1970, or none: then it stands until it is lifted.",
        context: { place: "body/until" },
      },
    );
  }
  const before = standing(what.freeze, now);
  if (before !== null && before.reason === reason && before.until === until) return ok([]);
  const name = by.kind === "operator" ? by.name : by.nodeId;
  const after: Freeze = { reason, until, by: name, at: now };
  const { kind, subject } = what;
  return ok([what.write(after), audit(ctx, actorOf(by), `${kind}.frozen`, subject, before, after)]);
}

/** Nothing to write when no freeze is kept. */
export function thawing(
  ctx: Context,
  by: { readonly actor: string; readonly from: string },
  what: Freezable,
): Change[] {
  const { freeze, kind, subject } = what;
  if (freeze === null) return [];
  return [what.write(null), audit(ctx, by, `${kind}.unfrozen`, subject, freeze, null)];
}
