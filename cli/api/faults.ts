/** What the coordinator refuses with, and what keeps it from being reached, as faults for people. */
import type { Problem } from "../../protocol/problem.ts";
import type { Fault } from "../../protocol/result.ts";

/** `code` is a problem code, or `unreachable`, `timed-out` or `unexpected-answer`. */
export type ApiFault = Fault & {
  /** HTTP status of a refusal. */
  readonly status?: number;
  readonly requestId?: string;
};

export const faultOf = ({ code, detail, hint, status, requestId, context }: Problem): ApiFault => ({
  code,
  message: detail,
  status,
  ...(hint === undefined ? {} : { hint }),
  ...(requestId === undefined ? {} : { requestId }),
  ...(context === undefined ? {} : { context: plain(context) }),
});

const plain = (context: Record<string, unknown>): Record<string, string | number | boolean | null> =>
  Object.fromEntries(
    Object.entries(context).map(([key, value]) => [
      key,
      typeof value === "number" || typeof value === "boolean" || typeof value === "string" || value === null
        ? value
        : JSON.stringify(value),
    ]),
  );

export const unreachable = (url: string, error: unknown): ApiFault => ({
  code: error instanceof DOMException && error.name === "TimeoutError" ? "timed-out" : "unreachable",
  message: `The coordinator at ${url} cannot be reached: ${reasonOf(error)}.`,
  hint: "Look at the address (baton context show) and whether the coordinator runs; nothing is known to have changed.",
});

export const strange = (url: string, status: number, why: string): ApiFault => ({
  code: "unexpected-answer",
  message: `What answers at ${url} (status ${status}) is not a coordinator that this command understands: ${why}.`,
  hint: "Look at the address, and whether baton is older or newer than the coordinator.",
});

/** The connection stood and then broke: what was asked may have been done, or not. */
export function brokeOff(error: unknown): boolean {
  const code = (causeOf(error) as { code?: unknown } | undefined)?.code;
  return code === "ECONNRESET" || code === "EPIPE" || code === "UND_ERR_SOCKET";
}

/** fetch says only "fetch failed"; the reason is its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = causeOf(error);
  return inner instanceof Error && inner.message !== "" ? inner.message : error.message;
}

function causeOf(error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof AggregateError ? cause.errors[0] : cause;
}
