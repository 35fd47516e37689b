/**
 * The one way to the coordinator. What it refuses is an outcome with a code and a sentence, never an exception; so is
 * a coordinator that cannot be reached.
 */
import type { Problem } from "../../../protocol/problem.ts";
import { err, ok, type Result } from "../../../protocol/result.ts";
import type { DASHBOARD_HEADER } from "../../../protocol/sign-in.ts";

const HEADER: typeof DASHBOARD_HEADER = "baton-dashboard";

export type Answer<T> = Promise<Result<T, Problem>>;

export type Client = {
  get<T>(path: string): Answer<T>;
  /** `change` names the method. Each one is done once, also when it is sent twice. */
  send<T>(
    method: "POST" | "PUT" | "PATCH" | "DELETE",
    path: string,
    body?: unknown,
    /** Refused when this is no longer the tag of what is there. */
    ifMatch?: string | null,
  ): Answer<T>;
  /** ETag of what the path answered last; null where it has none. */
  tagOf(path: string): string | null;
  /** The stream of events, as it comes. */
  stream(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response>;
};

/** `heard`: told of every answer, such as by the clock; `signedOut`: told when a request is not let in any more. */
export function createClient(parts: {
  readonly fetch: typeof fetch;
  readonly heard: (answer: Response) => void;
  readonly signedOut: (why: Problem) => void;
}): Client {
  const tags = new Map<string, string>();
  const ask = async <T>(method: string, path: string, body?: unknown, ifMatch?: string | null): Answer<T> => {
    const isChange = method !== "GET";
    try {
      const answer = await parts.fetch(path, {
        method,
        credentials: "same-origin",
        headers: {
          accept: "application/json",
          ...(isChange ? { [HEADER]: "1" } : {}),
          ...(method === "POST" ? { "idempotency-key": crypto.randomUUID?.() ?? String(Math.random()) } : {}),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(ifMatch == null ? {} : { "if-match": ifMatch }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      parts.heard(answer);
      const tag = answer.headers.get("etag");
      if (tag !== null && answer.ok && !isChange) tags.set(path, tag);
      const text = await answer.text();
      const value: unknown = text === "" ? {} : JSON.parse(text);
      if (answer.ok) return ok(value as T);
      const problem = value as Problem;
      if (answer.status === 401) parts.signedOut(problem);
      return err(problem);
    } catch (error) {
      return err(unreachable(error));
    }
  };
  return {
    get: (path) => ask("GET", path),
    send: (method, path, body, ifMatch) => ask(method, path, body, ifMatch),
    tagOf: (path) => tags.get(path) ?? null,
    stream: (path, headers, signal) =>
      parts.fetch(path, { headers: { accept: "text/event-stream", ...headers }, signal, cache: "no-store" }),
  };
}

/** Everything of a list, page after page; `more` is told of each page as it comes. */
export async function readAll<K extends string, T>(
  client: Client,
  path: string,
  key: K,
  more: (items: readonly T[]) => void = () => undefined,
): Answer<readonly T[]> {
  const all: T[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ limit: "1000", ...(cursor === null ? {} : { cursor }) });
    const page: Result<Record<K, readonly T[]> & { readonly next?: string | null }, Problem> =
      await client.get(`${path}${path.includes("?") ? "&" : "?"}${query}`);
    if (!page.ok) return page;
    all.push(...page.value[key]);
    more(page.value[key]);
    cursor = page.value.next ?? null;
  } while (cursor !== null);
  return ok(all);
}

const unreachable = (error: unknown): Problem => ({
  type: "urn:baton:problem:unreachable",
  title: "Unreachable",
  status: 0,
  code: "unreachable",
  detail: "The coordinator cannot be reached.",
  hint: `It is tried again. ${error instanceof Error ? error.message : ""}`.trim(),
});
