/**
 * Sends one message of a webhook. Nothing that leads to an address which is not public is spoken to, whatever its name
 * resolves to: the addresses that the name gave are looked at, and the connection is made to one of these.
 */
import { type LookupAddress, lookup as systemLookup } from "node:dns";
import type { LookupFunction } from "node:net";
import type { Dispatcher } from "undici";
import type { DurationMs } from "../../../protocol/time.ts";
import { notPublic } from "../../core/webhook/address.ts";
import { webhookUrl } from "../../core/webhook/url.ts";

export type PostSettings = {
  /** Also to addresses that are not public, and by plain HTTP. */
  readonly allowPrivate: boolean;
  /** For all of it: the name, the connection, the answer. */
  readonly timeoutMs: DurationMs;
  readonly now: () => number;
  /** The system's, unless it is told otherwise. */
  readonly lookup?: Lookup;
};
type Lookup = (
  hostname: string,
  options: { readonly all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** `error` null: it was taken. `status` null: there was no answer. */
export type Posted = {
  readonly status: number | null;
  readonly error: string | null;
  /** For how long the receiver asked to be left alone. */
  readonly retryAfterMs: DurationMs | null;
};

export type Post = {
  /** Never throws for what a receiver or the network does. Aborted by `signal`: an error like any other. */
  send(
    url: string,
    message: { readonly body: string; readonly headers: Readonly<Record<string, string>> },
    signal: AbortSignal,
  ): Promise<Posted>;
  close(): Promise<void>;
};

/** What is read of an answer, and how much of it is kept to be shown. */
const MAX_ANSWER_BYTES = 1024;
const SHOWN_CHARACTERS = 200;

export function createPost(settings: PostSettings): Post {
  const { allowPrivate, timeoutMs, now, lookup = systemLookup as Lookup } = settings;
  let loaded: Promise<Loaded> | undefined;
  const load = (): Promise<Loaded> => {
    loaded ??= loadUndici(allowPrivate ? null : guarded(lookup), timeoutMs);
    return loaded;
  };
  return {
    async send(address, { body, headers }, signal) {
      const url = webhookUrl(address, { allowPrivate });
      if (!url.ok) return failed(url.error.message);
      const limited = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      try {
        const { request, dispatcher } = await load();
        // A redirect is an answer like any other: it is not followed.
        const answer = await request(url.value, {
          method: "POST",
          body,
          headers,
          dispatcher,
          signal: limited,
        });
        const isTaken = answer.statusCode >= 200 && answer.statusCode < 300;
        const said = await beginningOf(answer.body);
        if (isTaken) return { status: answer.statusCode, error: null, retryAfterMs: null };
        return {
          status: answer.statusCode,
          error: refusedWith(answer.statusCode, said),
          retryAfterMs: retryAfter(answer.headers["retry-after"], now()),
        };
      } catch (error) {
        if (signal.aborted) return failed("The coordinator stopped while it was sent.");
        if (limited.aborted) return failed(`No answer came within ${timeoutMs / 1000} s.`);
        return failed(`${wordsOf(error)}.`);
      }
    },
    async close() {
      await (await loaded)?.dispatcher.destroy();
    },
  };
}

type Loaded = { readonly request: typeof import("undici").request; readonly dispatcher: Dispatcher };

/** Loaded when there is something to send: most coordinators have no webhooks. */
async function loadUndici(lookup: LookupFunction | null, timeoutMs: DurationMs): Promise<Loaded> {
  const { Agent, request } = await import("undici");
  const connect = { timeout: timeoutMs, ...(lookup === null ? {} : { lookup }) };
  return { request, dispatcher: new Agent({ connect, allowH2: false, headersTimeout: timeoutMs }) };
}

/** A lookup that fails when any address is not public: a name that leads to both is not to be trusted with either. */
const guarded =
  (lookup: Lookup): LookupFunction =>
  (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error !== null || first === undefined)
        return callback(error ?? new Error(`${hostname} has no address`), []);
      const inside = addresses.map(({ address }) => ({ address, what: notPublic(address) }));
      const wrong = inside.find(({ what }) => what !== null);
      if (wrong !== undefined) {
        const why = `${hostname} leads to ${wrong.address}, which is ${wrong.what}, and webhooks may not go there`;
        return callback(new Error(why), []);
      }
      if (options.all === true) return callback(null, addresses);
      callback(null, first.address, first.family);
    });
  };

async function beginningOf(body: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of body) {
      parts.push(part);
      bytes += part.length;
      if (bytes >= MAX_ANSWER_BYTES) break;
    }
  } catch {
    // The status has been said; what else would have come does not matter.
    return "";
  }
  return Buffer.concat(parts).subarray(0, MAX_ANSWER_BYTES).toString();
}

function refusedWith(status: number, said: string): string {
  const redirect =
    status >= 300 && status < 400
      ? ", and redirects are not followed: give the address that it leads to"
      : "";
  const printable = said
    .replace(/[\p{C}\s]+/gu, " ")
    .trim()
    .slice(0, SHOWN_CHARACTERS);
  return `It answered ${status}${redirect}${printable === "" || redirect !== "" ? "" : `: ${printable}`}.`;
}

/** Source: RFC 9110, 10.2.3. */
function retryAfter(header: string | string[] | undefined, now: number): DurationMs | null {
  if (typeof header !== "string") return null;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isFinite(ms) && ms > 0 ? ms : null;
}

const failed = (error: string): Posted => ({ status: null, error, retryAfterMs: null });

/** The deepest that is known: what undici says of a connection that failed is that it failed. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.errors.length > 0) return wordsOf(error.errors[0]);
  if (error.cause instanceof Error) return wordsOf(error.cause);
  return error.message.replace(/\.$/, "");
}
