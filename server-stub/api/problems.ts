/**
 * Everything that is refused is told the same way: a problem (RFC 9457) with a stable code, and a line in the log.
 * Nothing of an unforeseen error reaches the caller but the id under which the log has it.
 */
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { plainWords } from "../../protocol/plain-words.ts";
import { problemOf } from "../../protocol/problem.ts";
import type { Refusal } from "../service/coordinator.ts";
import { NotInSeat } from "../service/replica.ts";
import { whyAway } from "../service/store-away.ts";

export const PROBLEM_TYPE = "application/problem+json";

/** Answers with the problem. */
export function refuse(request: FastifyRequest, reply: FastifyReply, refusal: Refusal): FastifyReply {
  const problem = problemOf(refusal, request.id);
  request.refusedCode = refusal.code;
  reply.header("x-request-id", request.id);
  if (problem.status === 401) reply.header("www-authenticate", 'Bearer realm="baton"');
  if (refusal.retryAfterMs !== undefined) {
    reply.header("retry-after", String(Math.ceil(refusal.retryAfterMs / 1000)));
  }
  return reply
    .code(problem.status)
    .header("cache-control", "no-store")
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problem));
}

/** What the error handler does: framework errors become problems of their own, anything else is `internal`. */
export function handleError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const refusal = refusalOf(error);
  if (refusal.code === "internal") request.log.error({ err: error }, "unforeseen error");
  if (whyAway(error) !== null) request.log.warn({ err: error }, "the database could not be reached");
  return refuse(request, reply, refusal);
}

/** The refusal that an error of the framework means. */
export function refusalOf(error: FastifyError): Refusal {
  if (error.validation !== undefined) return malformed(error);
  if (error instanceof NotInSeat) return ELSEWHERE;
  const away = whyAway(error);
  if (away !== null) return away === "unknown" ? AWAY_IN_DOUBT : AWAY;
  const known = BY_CODE[error.code] ?? BY_STATUS[error.statusCode ?? 500];
  return known ?? INTERNAL;
}

/** Longest place in a request that is told. */
const MAX_PLACE = 200;

function malformed({ validation, validationContext }: FastifyError): Refusal {
  // The first error is of the deepest value that does not fit; a refused member is told by its own place.
  const first = validation?.[0];
  const part = validationContext ?? "request";
  // Its parts are names that the caller chose.
  const place = plainWords(`${part}${first?.instancePath ?? ""}`, MAX_PLACE);
  const what = first?.keyword === "boolean" ? "is not expected here" : (first?.message ?? "does not fit");
  return {
    code: "malformed",
    message: `The request is malformed at ${place}: it ${what}.`,
    hint: "GET /openapi.json describes every request.",
    context: { place },
  };
}

const ELSEWHERE: Refusal = {
  code: "unavailable",
  message: "Another coordinator decides now; nothing was changed.",
  hint: "Ask again.",
  retryAfterMs: 1_000,
};

const AWAY: Refusal = {
  code: "unavailable",
  message: "The coordinator's database cannot be reached; nothing was changed.",
  hint: "Ask again. The coordinator's log says why.",
  retryAfterMs: 2_000,
};

const AWAY_IN_DOUBT: Refusal = {
  ...AWAY,
  message:
    "The coordinator's database could not be reached in time, and nobody knows whether it was changed.",
  hint: "Look whether it was done before you ask again.",
};

const INTERNAL: Refusal = {
  code: "internal",
  message: "Something went wrong inside the coordinator.",
  hint: "Look for the request id in the coordinator's log.",
};

const NOT_JSON: Refusal = { code: "malformed", message: "The body is not JSON." };
const GONE: Refusal = { code: "malformed", message: "The request ended before all of its body came." };
const BAD_URL: Refusal = { code: "malformed", message: "The address of the request cannot be read." };
const TOO_LARGE: Refusal = {
  code: "too-large",
  message: "The body is larger than this request may be; it was not read.",
};

const BY_CODE: Readonly<Record<string, Refusal>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: NOT_JSON,
  FST_ERR_CTP_EMPTY_JSON_BODY: { code: "malformed", message: "The body is empty." },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: GONE,
  FST_ERR_CTP_BODY_TOO_LARGE: TOO_LARGE,
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: "unsupported-media-type",
    message: "The body is of a kind that this request does not take.",
    hint: "Send application/json, or application/octet-stream to upload a bundle.",
  },
  FST_ERR_BAD_URL: BAD_URL,
  FST_ERR_ASYNC_CONSTRAINT: BAD_URL,
  ECONNRESET: GONE,
  ERR_STREAM_PREMATURE_CLOSE: GONE,
};

const BY_STATUS: Readonly<Record<number, Refusal>> = {
  400: { code: "malformed", message: "The request cannot be read." },
  404: { code: "not-found", message: "There is nothing at this address." },
  408: { code: "request-timeout", message: "The request took too long to arrive." },
  413: TOO_LARGE,
  414: BAD_URL,
  503: { code: "unavailable", message: "The coordinator is shutting down.", hint: "Ask again shortly." },
};

declare module "fastify" {
  interface FastifyRequest {
    /** Code of the problem that it was answered with, for the log. */
    refusedCode: string | null;
  }
}
