/**
 * `Idempotency-Key`: a POST that is repeated with the same key, by the same caller, is done once and answered twice.
 * What agents say among themselves with the coordinator (frames, leases) is safe to repeat by its own numbers, and
 * needs none.
 * Source: docs/adr/0076-repeated-and-stale-requests.md, after draft-ietf-httpapi-idempotency-key-header.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { ok, type Result } from "../../protocol/result.ts";
import { Type } from "../../protocol/schema.ts";
import { fingerprint } from "../core/fingerprint.ts";
import type { Principal, Refusal, Requests } from "../service/coordinator.ts";

export const IDEMPOTENCY_HEADER = "idempotency-key";
/** Says that an answer is the one that was given before. */
export const REPLAYED_HEADER = "idempotent-replayed";

export const onceHeaders = Type.String({
  pattern: "^[\\x21-\\x7e]{1,255}$",
  description:
    "Repeated with the same key and body within 24 hours, the request is answered as it was, and not done again",
});

/** Runs a request, or answers what it was answered before. */
export type Once = <T>(
  request: FastifyRequest,
  reply: FastifyReply,
  options: { readonly secret: boolean },
  run: () => Promise<Result<T, Refusal>>,
) => Promise<Result<T, Refusal>>;

/** Whether an endpoint takes a key: every POST but those of strangers and of agents' sessions. */
export const takesKey = ({ route, callers }: { readonly route: string; readonly callers: string }): boolean =>
  route.startsWith("POST ") && callers !== "node" && callers !== "anybody";

export const createOnce =
  (requests: Requests): Once =>
  async (request, reply, { secret }, run) => {
    const key = request.headers[IDEMPOTENCY_HEADER];
    if (typeof key !== "string" || request.caller === null) return run();
    const { url, caller, query, body } = request;
    const id = fingerprint([callerOf(caller), url.split("?")[0], key]);
    const done = await requests.once({ id, hash: fingerprint({ query, body }), secret }, run);
    if (!done.ok) return done;
    if (done.value.replayed) reply.header(REPLAYED_HEADER, "true");
    return ok(done.value.answer);
  };

const callerOf = (caller: Principal): readonly string[] =>
  caller.kind === "node" ? ["node", caller.nodeId] : ["operator", caller.id];
