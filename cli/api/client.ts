/**
 * The coordinator's API, as the commands call it. A refusal becomes a `Fault` with the problem's code; what cannot
 * be reached, and answers that are none of a coordinator's, become faults too: nothing here throws for them.
 */
import { Problem } from "../../protocol/problem.ts";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import { type Static, type TSchema, Value } from "../../protocol/schema.ts";

/** `code` is a problem code, or `unreachable`, or `unexpected-answer`. */
export type ApiFault = Fault & { readonly status?: number; readonly requestId?: string };

export type Request<S extends TSchema> = {
  readonly method?: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** With its query, every part encoded (see `path`). */
  readonly path: string;
  readonly body?: unknown;
  /** What is expected back. Members that it does not know are left out: the coordinator may be newer. */
  readonly answer: S;
};

export type ApiClient = {
  readonly url: string;
  call<S extends TSchema>(request: Request<S>): Promise<Result<Static<S>, ApiFault>>;
  /** Sends bytes as they come. */
  upload<S extends TSchema>(
    path: string,
    body: AsyncIterable<Uint8Array>,
    bytes: number,
    answer: S,
  ): Promise<Result<Static<S>, ApiFault>>;
};

export type ClientOptions = {
  /** Address of the coordinator, without a path. */
  readonly url: string;
  readonly token: string | null;
  readonly fetch: typeof fetch;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
};

const TIMEOUT_MS = 30_000;

export function createClient({
  url,
  token,
  fetch,
  signal,
  timeoutMs = TIMEOUT_MS,
}: ClientOptions): ApiClient {
  const base = url.replace(/\/+$/, "");
  const headers: Record<string, string> = { accept: "application/json, application/problem+json" };
  if (token !== null) headers.authorization = `Bearer ${token}`;

  const send = async <S extends TSchema>(
    path: string,
    init: RequestInit & { duplex?: "half" },
    answer: S,
    limitMs: number | null,
  ): Promise<Result<Static<S>, ApiFault>> => {
    const signals = [signal, limitMs === null ? undefined : AbortSignal.timeout(limitMs)];
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${base}${path}`, {
        ...init,
        headers: { ...headers, ...(init.headers as Record<string, string>) },
        redirect: "error",
        signal: AbortSignal.any(signals.filter((each) => each !== undefined)),
      });
      text = await response.text();
    } catch (cause) {
      signal?.throwIfAborted();
      return err(unreachable(base, cause));
    }
    return read(base, response, text, answer);
  };

  return {
    url: base,
    call: ({ method = "GET", path, body, answer }) =>
      send(
        path,
        body === undefined
          ? { method }
          : { method, body: JSON.stringify(body), headers: { "content-type": "application/json" } },
        answer,
        timeoutMs,
      ),
    upload: (path, body, bytes, answer) =>
      send(
        path,
        {
          method: "PUT",
          body: ReadableStream.from(body),
          duplex: "half",
          headers: { "content-type": "application/octet-stream", "content-length": String(bytes) },
        },
        answer,
        null,
      ),
  };
}

/** A path of an address, its parts encoded: `path("v1", "nodes", id)`. */
export const path = (...parts: readonly string[]): string => `/${parts.map(encodeURIComponent).join("/")}`;

/** A query, without what is undefined; empty for none. */
export const query = (values: Readonly<Record<string, string | number | undefined>>): string => {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return given.length === 0
    ? ""
    : `?${new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString()}`;
};

function read<S extends TSchema>(
  base: string,
  response: Response,
  text: string,
  answer: S,
): Result<Static<S>, ApiFault> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err(strange(base, response.status, "it is not JSON"));
  }
  if (!response.ok) {
    return Value.Check(Problem, value)
      ? err(faultOf(value))
      : err(strange(base, response.status, "it is no problem"));
  }
  const known = Value.Clean(answer, structuredClone(value));
  if (Value.Check(answer, known)) return ok(known as Static<S>);
  const first = Value.Errors(answer, known)[0];
  return err(
    strange(
      base,
      response.status,
      `${first?.instancePath || "the whole"} ${first?.message ?? "does not fit"}`,
    ),
  );
}

const faultOf = ({ code, detail, hint, status, requestId, context }: Problem): ApiFault => ({
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

const unreachable = (url: string, error: unknown): ApiFault => ({
  code: error instanceof DOMException && error.name === "TimeoutError" ? "timed-out" : "unreachable",
  message: `The coordinator at ${url} cannot be reached: ${reasonOf(error)}.`,
  hint: "Look at the address (--url, BATON_URL) and whether the coordinator runs; nothing is known to have changed.",
});

/** fetch says only "fetch failed"; the reason is its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause;
  const inner = cause instanceof AggregateError ? cause.errors[0] : cause;
  return inner instanceof Error && inner.message !== "" ? inner.message : error.message;
}

const strange = (url: string, status: number, why: string): ApiFault => ({
  code: "unexpected-answer",
  message: `What answers at ${url} (status ${status}) is not a coordinator that this command understands: ${why}.`,
  hint: "Look at the address, and whether baton is older or newer than the coordinator.",
});
