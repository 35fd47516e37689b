/** Getting metadata: one file, within a length and a time. */
import type { Dispatcher } from "undici";
import type { Role } from "../../../protocol/metadata.ts";
import type { DurationMs } from "../../../protocol/time.ts";
import { MAX_METADATA_BYTES } from "../../../protocol/trust.ts";
import { found, TrustError } from "./fault.ts";

/** Answers a GET. Rejects when nobody answered. The body may be left unread. */
export type FetchMetadata = (
  url: string,
  options: { readonly maxBytes: number; readonly signal: AbortSignal },
) => Promise<{ readonly status: number; readonly body: AsyncIterable<Uint8Array> }>;

/** Over HTTP with undici. */
export const fetchWith =
  (dispatcher: Dispatcher): FetchMetadata =>
  async (url, { signal }) => {
    const { origin, pathname, search } = new URL(url);
    const answer = await dispatcher.request({ origin, path: pathname + search, method: "GET", signal });
    if (answer.statusCode !== 200) await answer.body.dump();
    return { status: answer.statusCode, body: answer.body };
  };

/**
 * The bytes of a metadata file; null when the repository says that there is none (403 or 404, since object stores
 * answer either). Throws `TrustError`: `unreachable`, `timed-out`, `http-status`, `too-large`.
 */
export async function readMetadata(
  fetch: FetchMetadata,
  at: {
    readonly role: Role;
    readonly url: string;
    readonly maxBytes?: number;
    readonly timeoutMs: DurationMs;
  },
  outer?: AbortSignal,
): Promise<Buffer | null> {
  const { role, url, timeoutMs } = at;
  const maxBytes = Math.min(at.maxBytes ?? Number.POSITIVE_INFINITY, MAX_METADATA_BYTES[role]);
  const limit = AbortSignal.timeout(timeoutMs);
  const signal = outer === undefined ? limit : AbortSignal.any([outer, limit]);
  try {
    const { status, body } = await fetch(url, { maxBytes, signal });
    if (status === 403 || status === 404) return null;
    if (status !== 200) {
      throw new TrustError(
        found("http-status", `${url} was answered with status ${status}.`, { url, status }),
      );
    }
    return await readAtMost(body, maxBytes, url);
  } catch (cause) {
    if (cause instanceof TrustError || outer?.aborted === true) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    const fault = limit.aborted
      ? found("timed-out", `${url} was not answered within ${timeoutMs} ms.`, { url, timeoutMs })
      : found("unreachable", `${url} could not be fetched: ${why}.`, { url });
    throw new TrustError(fault, { cause });
  }
}

async function readAtMost(body: AsyncIterable<Uint8Array>, maxBytes: number, url: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      throw new TrustError(found("too-large", `${url} has more than ${maxBytes} bytes.`, { url, maxBytes }));
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
