import { CommitReply, RenewReply, ReserveReply } from "../../protocol/lease.ts";
import type { GroupName } from "../../protocol/names.ts";
import { parse } from "../../protocol/parse.ts";
import { err, ok, type Result } from "../../protocol/result.ts";
import type { Static, TSchema } from "../../protocol/schema.ts";
import type { DurationMs } from "../../protocol/time.ts";
import type { LeaseClient, LeaseFailure } from "../core/ports.ts";
import type { HttpClient } from "./http-client.ts";

/** How long a lease call may take; after that nobody knows whether it was granted, and it can be repeated. */
const LEASE_TIMEOUT_MS: DurationMs = 10_000;

/**
 * The lease API of the coordinator over HTTP. `group` is asked at each call: a node can be moved.
 * Errors: `refused` with the problem's code and `retryAfterMs`; `unreachable` when nobody knows.
 */
export function createLeaseClient(http: HttpClient, group: () => GroupName): LeaseClient {
  const post = async <S extends TSchema>(
    action: string,
    body: unknown,
    reply: S,
  ): Promise<Result<Static<S>, LeaseFailure>> => {
    const answer = await call(http, group(), action, body);
    if (!answer.ok) return answer;
    const parsed = parse(reply, answer.value, `The coordinator's answer to ${action}`);
    return parsed.ok ? parsed : err({ ...parsed.error, kind: "unreachable" });
  };
  return {
    reserve: (request) => post("reserve", request, ReserveReply),
    renew: (request) => post("renew", request, RenewReply),
    commit: (request) => post("commit", request, CommitReply),
    cancel: async (request) => {
      const answer = await call(http, group(), "cancel", request);
      return answer.ok ? ok(undefined) : answer;
    },
  };
}

async function call(
  http: HttpClient,
  group: GroupName,
  action: string,
  body: unknown,
): Promise<Result<unknown, LeaseFailure>> {
  const answer = await http.call({
    method: "POST",
    path: `/v1/groups/${encodeURIComponent(group)}/lease/${action}`,
    body,
    timeoutMs: LEASE_TIMEOUT_MS,
  });
  if (answer.ok) return answer;
  const { status, ...failure } = answer.error;
  return err(status === undefined ? failure : { ...failure, context: { status } });
}
