import { DENIALS } from "./lease.ts";
import { plainWords } from "./plain-words.ts";
import type { Fault } from "./result.ts";
import { type Static, Type } from "./schema.ts";

/**
 * Every code that the coordinator's API answers with, and its HTTP status: the one place that maps them.
 * Source: RFC 9457 (problem details for HTTP APIs).
 */
const OWN = {
  malformed: 400,
  "cursor-invalid": 400,
  unauthorized: 401,
  forbidden: 403,
  "not-found": 404,
  "method-not-allowed": 405,
  "not-acceptable": 406,
  "request-timeout": 408,
  "wrong-state": 409,
  conflict: 409,
  "name-taken": 409,
  "stale-token": 409,
  "stale-session": 409,
  "act-within-too-long": 409,
  "leader-here": 409,
  "node-offline": 409,
  "node-unhealthy": 409,
  "node-not-approved": 403,
  "node-revoked": 403,
  "already-up-to-date": 409,
  "update-in-progress": 409,
  "not-supported": 409,
  "secret-shown-once": 409,
  "no-backup": 409,
  "no-release": 404,
  "no-build-for-platform": 409,
  "rollout-active": 409,
  "lease-held": 409,
  "plan-changed": 409,
  "wrong-engine": 409,
  "wrong-protocol": 409,
  "empty-selection": 422,
  "stages-out-of-order": 422,
  "threshold-out-of-range": 422,
  "cron-invalid": 422,
  "timezone-unknown": 422,
  "window-never-opens": 422,
  "channel-in-use": 409,
  "accept-outage-needed": 422,
  "targets-version-conflict": 409,
  "release-refused": 422,
  "root-refused": 422,
  "upload-mismatch": 422,
  "webhook-refused": 422,
  "idempotency-key-reused": 422,
  "trust-not-ready": 409,
  "join-token-invalid": 403,
  "join-insecure": 403,
  "precondition-failed": 412,
  "too-large": 413,
  "unsupported-media-type": 415,
  "range-not-satisfiable": 416,
  "upgrade-required": 426,
  "too-many-requests": 429,
  internal: 500,
  unavailable: 503,
} as const;

const denials = Object.fromEntries(DENIALS.map((code) => [code, 409])) as Record<
  (typeof DENIALS)[number],
  409
>;

export const PROBLEM_STATUS: Readonly<Record<ProblemCode, number>> = { ...OWN, ...denials };
export type ProblemCode = keyof typeof OWN | (typeof DENIALS)[number];

/** Body of every refusal, as `application/problem+json`. `type` is `urn:baton:problem:<code>`. */
export const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String(),
    hint: Type.Optional(Type.String()),
    requestId: Type.Optional(Type.String()),
    retryAfterMs: Type.Optional(Type.Integer({ minimum: 0 })),
    context: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  },
  { title: "Problem" },
);
export type Problem = Static<typeof Problem>;

/**
 * A problem as whoever received it may show, log and report it, whoever sent it: its code is one, its words are not
 * endless and move no terminal's cursor.
 */
export function plainProblem(problem: Problem): Problem {
  const { code, detail, hint } = problem;
  return {
    ...problem,
    code: /^[a-z][a-z0-9-]{0,63}$/.test(code) ? code : "unexpected-answer",
    detail: plainWords(detail) || "It was refused, and not said why.",
    ...(hint === undefined ? {} : { hint: plainWords(hint) }),
  };
}

/** The body that tells of a fault; `requestId` finds it in the coordinator's log. */
export function problemOf(
  fault: Fault<ProblemCode> & { readonly retryAfterMs?: number },
  requestId?: string,
): Problem {
  const { code, message, hint, context, retryAfterMs } = fault;
  return {
    type: `urn:baton:problem:${code}`,
    title: code.replaceAll("-", " ").replace(/^./, (letter) => letter.toUpperCase()),
    status: PROBLEM_STATUS[code],
    detail: message,
    code,
    ...(hint === undefined || hint === "" ? {} : { hint }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(context === undefined ? {} : { context: { ...context } }),
  };
}
