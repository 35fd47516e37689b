/**
 * The coordinator's API, as the commands call it. A refusal becomes a `Fault` with the problem's code; what cannot
 * be reached, and answers that are none of a coordinator's, become faults too: nothing here throws for them.
 *
 * Every POST carries an `Idempotency-Key`, so that one whose answer was lost on the way may be sent once more.
 */
import { randomUUID } from "node:crypto";
import { Problem, plainProblem } from "../../protocol/problem.ts";
import { err, ok, type Result } from "../../protocol/result.ts";
import { type Static, type TSchema, Value } from "../../protocol/schema.ts";
import { type ApiFault, brokeOff, faultOf, strange, unreachable } from "./faults.ts";

export type { ApiFault } from "./faults.ts";

export type Request<S extends TSchema> = {
  readonly method?: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** With its query, every part encoded (see `path`). */
  readonly path: string;
  readonly body?: unknown;
  /** The `etag` that this change was made from: refused with `412` when somebody else changed it since. */
  readonly ifMatch?: string | null;
  /** What is expected back. Members that it does not know are left out: the coordinator may be newer. */
  readonly answer: S;
};

/** An answer, and the tag to give back as `ifMatch`; null when the coordinator gave none. */
export type Tagged<T> = { readonly value: T; readonly etag: string | null };

export type ApiClient = {
  readonly url: string;
  call<S extends TSchema>(request: Request<S>): Promise<Result<Static<S>, ApiFault>>;
  tagged<S extends TSchema>(request: Request<S>): Promise<Result<Tagged<Static<S>>, ApiFault>>;
  /** Sends bytes as they come. */
  upload<S extends TSchema>(
    path: string,
    body: AsyncIterable<Uint8Array>,
    bytes: number,
    answer: S,
  ): Promise<Result<Static<S>, ApiFault>>;
  /** Text as it comes, for as long as it takes. Reading it throws when the connection breaks. */
  stream(
    path: string,
    headers: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<Result<AsyncIterable<string>, ApiFault>>;
};

export type ClientOptions = {
  /** Address of the coordinator, without a path. */
  readonly url: string;
  readonly token: string | null;
  readonly fetch: typeof fetch;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  /** A fresh `Idempotency-Key`. */
  readonly newKey?: () => string;
};

type Init = Omit<RequestInit, "headers"> & {
  readonly duplex?: "half";
  readonly headers: Readonly<Record<string, string>>;
};

const TIMEOUT_MS = 30_000;

export function createClient(options: ClientOptions): ApiClient {
  const { token, fetch, signal, timeoutMs = TIMEOUT_MS, newKey = randomUUID } = options;
  const url = options.url.replace(/\/+$/, "");
  const authorization = token === null ? {} : { authorization: `Bearer ${token}` };

  const open = async (path: string, init: Init, signals: readonly (AbortSignal | undefined)[]) =>
    fetch(`${url}${path}`, {
      ...init,
      headers: { accept: "application/json, application/problem+json", ...authorization, ...init.headers },
      redirect: "error",
      signal: AbortSignal.any([signal, ...signals].filter((each) => each !== undefined)),
    });

  const attempt = async (path: string, init: Init, limitMs: number | null): Promise<Attempt> => {
    try {
      const response = await open(path, init, [limitMs === null ? undefined : AbortSignal.timeout(limitMs)]);
      return ok({ response, text: await response.text() });
    } catch (cause) {
      signal?.throwIfAborted();
      return err(cause);
    }
  };

  const tagged = async <S extends TSchema>({
    method = "GET",
    path,
    body,
    ifMatch,
    answer,
  }: Request<S>): Promise<Result<Tagged<Static<S>>, ApiFault>> => {
    const headers = {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(method === "POST" ? { "idempotency-key": newKey() } : {}),
      ...(ifMatch == null ? {} : { "if-match": ifMatch }),
    };
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    let got = await attempt(path, init, timeoutMs);
    if (!got.ok && brokeOff(got.error) && (method === "GET" || method === "POST")) {
      got = await attempt(path, init, timeoutMs);
    }
    if (!got.ok) return err(unreachable(url, got.error));
    const { response, text } = got.value;
    const value = read(url, response, text, answer);
    return value.ok ? ok({ value: value.value, etag: response.headers.get("etag") }) : value;
  };

  return {
    url,
    tagged,
    call: async (request) => {
      const got = await tagged(request);
      return got.ok ? ok(got.value.value) : got;
    },
    upload: async (path, body, bytes, answer) => {
      const headers = { "content-type": "application/octet-stream", "content-length": String(bytes) };
      const init: Init = { method: "PUT", body: ReadableStream.from(body), duplex: "half", headers };
      const got = await attempt(path, init, null);
      return got.ok
        ? read(url, got.value.response, got.value.text, answer)
        : err(unreachable(url, got.error));
    },
    stream: async (path, headers, until) => {
      try {
        const response = await open(path, { headers: { ...headers } }, [until]);
        if (!response.ok || response.body === null) return refused(url, response, await response.text());
        return ok(response.body.pipeThrough(new TextDecoderStream()));
      } catch (cause) {
        signal?.throwIfAborted();
        until?.throwIfAborted();
        return err(unreachable(url, cause));
      }
    },
  };
}

type Attempt = Result<{ readonly response: Response; readonly text: string }, unknown>;

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
  url: string,
  response: Response,
  text: string,
  answer: S,
): Result<Static<S>, ApiFault> {
  if (!response.ok) return refused(url, response, text);
  const value = parsed(text);
  if (value === undefined) return err(strange(url, response.status, "it is not JSON"));
  const known = Value.Clean(answer, structuredClone(value));
  if (Value.Check(answer, known)) return ok(known as Static<S>);
  const first = Value.Errors(answer, known)[0];
  const why = `${first?.instancePath || "the whole"} ${first?.message ?? "does not fit"}`;
  return err(strange(url, response.status, why));
}

function refused(url: string, { status }: Response, text: string): Result<never, ApiFault> {
  const value = parsed(text);
  if (value === undefined) return err(strange(url, status, "it is not JSON"));
  return err(
    Value.Check(Problem, value) ? faultOf(plainProblem(value)) : strange(url, status, "it is no problem"),
  );
}

/** An empty body is null, as the answer to a DELETE is; undefined for what is no JSON. */
function parsed(text: string): unknown {
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
