import type { SessionId } from "../../../protocol/names.ts";
import type { Denied, HoldView } from "./view.ts";

/** A lease is asked for, and committed, from the node's newest session only, and only once that was echoed. */
export function denySession(session: SessionId, { asker, policy }: HoldView): Denied | null {
  if (asker.newest?.session === session) return null;
  return {
    code: "stale-session",
    message:
      asker.newest === null
        ? "No session of this node has been heard from yet: say hello, then send a heartbeat in the session it opens."
        : "The request was made in a session that is no longer the node's newest.",
    hint: "Nothing was changed.",
    retryAfterMs: policy.retryAfterMs,
  };
}
