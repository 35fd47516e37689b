/**
 * The agent's HTTP: one request, one answer, JSON both ways, no retries inside. undici is loaded with the first
 * call, since an agent whose WebSocket works needs it only for the lease.
 */
import type { Dispatcher } from "undici";
import { parse } from "../../protocol/parse.ts";
import { Problem, plainProblem } from "../../protocol/problem.ts";
import { err, type Fault, FaultError, ok, type Result } from "../../protocol/result.ts";
import type { DurationMs } from "../../protocol/time.ts";
import type { Addresses } from "./addresses.ts";
import type { Network } from "./network.ts";

/** A call that came to nothing: `refused` (the coordinator answered so) or `unreachable` (nobody knows). */
export type CallFailure = Fault & {
  readonly kind: "refused" | "unreachable";
  /** HTTP status, when there was an answer at all. */
  readonly status?: number;
  readonly retryAfterMs?: DurationMs;
};

export type Call = {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: unknown;
  readonly timeoutMs: DurationMs;
  readonly signal?: AbortSignal;
};

export type HttpClient = {
  /** The JSON of a 2xx answer. Errors: the problem's own code, or `unreachable`, `timed-out`, `not-baton`. */
  call(call: Call): Promise<Result<unknown, CallFailure>>;
  close(): Promise<void>;
};

export type HttpClientOptions = {
  readonly addresses: Addresses;
  /** Sent as `Authorization: Bearer`; null before joining. */
  readonly credential: string | null;
  readonly network: Network;
};

const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

export function createHttpClient({ addresses, credential, network }: HttpClientOptions): HttpClient {
  let loaded: { readonly reading: number; readonly parts: Promise<Loaded> } | undefined;
  /** The connections of before, when `ca_file` has changed, end when nothing is under way on them any more. */
  const ready = (): Promise<Loaded> => {
    const reading = network.reading();
    if (loaded?.reading === reading) return loaded.parts;
    loaded?.parts.then(({ dispatcher }) => dispatcher.close()).catch(() => undefined);
    loaded = { reading, parts: load(network) };
    return loaded.parts;
  };
  return {
    call: async (call) => {
      const server = addresses.current();
      let parts: Loaded;
      try {
        parts = await ready();
      } catch (cause) {
        loaded = undefined;
        if (cause instanceof FaultError) return err({ ...cause.fault, kind: "unreachable" });
        throw cause;
      }
      const result = await callOnce(parts, server, credential, call);
      if (!result.ok && result.error.kind === "unreachable") addresses.failed(server);
      return result;
    },
    close: async () => {
      if (loaded !== undefined) await (await loaded.parts).dispatcher.destroy();
    },
  };
}

type Loaded = { readonly request: typeof import("undici").request; readonly dispatcher: Dispatcher };

const load = async (network: Network): Promise<Loaded> => ({
  request: (await import("undici")).request,
  dispatcher: await network.openDispatcher(),
});

async function callOnce(
  { request, dispatcher }: Loaded,
  server: string,
  credential: string | null,
  { method, path, body, timeoutMs, signal }: Call,
): Promise<Result<unknown, CallFailure>> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await request(`${server}${path}`, {
      method,
      dispatcher,
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      headers: {
        accept: "application/json",
        ...(credential === null ? {} : { authorization: `Bearer ${credential}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await readText(response.body);
    const { statusCode } = response;
    if (statusCode < 200 || statusCode > 299)
      return err(failureOf(server, statusCode, text, response.headers["retry-after"]));
    if (text === "") return ok(null);
    return ok(JSON.parse(text));
  } catch (cause) {
    return err(unreachable(server, cause, timeout.aborted ? timeoutMs : null));
  }
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`The answer is longer than ${MAX_ANSWER_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/**
 * What an answer other than 2xx means. Only a problem document below 500 is the coordinator's refusal: whatever
 * else answers (a proxy's page, a server in trouble) leaves unknown whether something was done.
 */
export function failureOf(
  server: string,
  status: number,
  text: string,
  retryAfter: string | string[] | undefined,
): CallFailure {
  const problem = problemIn(text);
  const seconds =
    typeof retryAfter === "string" && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : undefined;
  const retryAfterMs = problem?.retryAfterMs ?? (seconds === undefined ? undefined : seconds * 1000);
  return {
    kind: problem !== undefined && status < 500 ? "refused" : "unreachable",
    code: problem?.code ?? "not-baton",
    message:
      problem?.detail ?? `${server} answered ${status} without saying why; it may not be a coordinator.`,
    status,
    ...(problem?.hint === undefined ? {} : { hint: problem.hint }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

function problemIn(text: string): Problem | undefined {
  try {
    const parsed = parse(Problem, JSON.parse(text), "The answer");
    return parsed.ok ? plainProblem(parsed.value) : undefined;
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

function unreachable(server: string, cause: unknown, timedOutAfterMs: number | null): CallFailure {
  if (timedOutAfterMs !== null) {
    return {
      kind: "unreachable",
      code: "timed-out",
      message: `${server} did not answer within ${timedOutAfterMs} ms.`,
    };
  }
  if (cause instanceof SyntaxError)
    return {
      kind: "unreachable",
      code: "not-baton",
      message: `${server} answered with something that is not JSON; it may not be a coordinator.`,
    };
  return { kind: "unreachable", code: "unreachable", message: `${server} cannot be reached: ${why(cause)}.` };
}

/** The innermost words of an error: undici and ws wrap the system's. */
export function why(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause instanceof AggregateError && cause.errors.length > 0) return why(cause.errors[0]);
  if (cause.cause instanceof Error) return why(cause.cause);
  return cause.message === "" ? cause.name : cause.message;
}
