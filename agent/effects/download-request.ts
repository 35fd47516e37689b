/** One request for a bundle, or for the rest of one. */
import type { Dispatcher } from "undici";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import type { DownloadCode, DownloadRequest } from "./download-terms.ts";

export type Answer = {
  readonly body: AsyncIterable<Uint8Array>;
  /** The body goes on where the part ends; otherwise it begins at the beginning. */
  readonly resumed: boolean;
  /** A strong validator to resume with, if the other side gave one. */
  readonly etag: string | null;
  /** Ends the request where the body is not going to be read. */
  giveUp(): void;
};

/** `afresh`: the part is of no use; `later`: the other side was away; `never`: it will not get better. */
export type AskFault = {
  readonly fault: Fault<DownloadCode>;
  readonly retry: "never" | "afresh" | "later";
};

const STALL_MS = 30_000;

/** Asks for the bytes from `have` on. The answer's body must be read to its end or given up. */
export async function ask(
  request: DownloadRequest,
  have: number,
  etag: string | null,
  signal: AbortSignal,
): Promise<Result<Answer, AskFault>> {
  const { dispatcher, url, bytes, stallMs = STALL_MS } = request;
  const { origin, pathname, search } = new URL(url);
  let answer: Dispatcher.ResponseData;
  try {
    answer = await dispatcher.request({
      origin,
      path: pathname + search,
      method: "GET",
      headers: {
        "accept-encoding": "identity",
        ...(have > 0 && { range: `bytes=${have}-` }),
        ...(have > 0 && etag !== null && { "if-range": etag }),
      },
      headersTimeout: stallMs,
      bodyTimeout: stallMs,
      signal,
    });
  } catch (cause) {
    return later(unreachable(url, cause));
  }
  const { statusCode, headers, body } = answer;
  // Giving a body up early makes it emit an error that nobody needs any more.
  body.on("error", () => undefined);
  const given = { body, etag: strongEtag(headers.etag), giveUp: () => void body.destroy() };
  if (statusCode === 200) {
    const length = headers["content-length"];
    if (length === undefined || Number(length) === bytes) return ok({ ...given, resumed: false });
    body.destroy();
    return never(wrongLength(url, Number(length), bytes));
  }
  if (statusCode === 206) {
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(String(headers["content-range"] ?? ""));
    const fits = range !== null && Number(range[1]) === have && [String(bytes), "*"].includes(range[2] ?? "");
    if (fits) return ok({ ...given, resumed: true });
  }
  body.destroy();
  const fault = badStatus(url, statusCode);
  if (statusCode === 206 || statusCode === 416) return err({ fault, retry: have > 0 ? "afresh" : "never" });
  return statusCode >= 500 || statusCode === 429 || statusCode === 408 ? later(fault) : never(fault);
}

/** The connection came to nothing, before or after it began. */
export function unreachable(url: string, cause: unknown): Fault<DownloadCode> {
  const why = cause instanceof Error ? cause.message : String(cause);
  return {
    code: "unreachable",
    message: `${url} could not be fetched: ${why}.`,
    hint: "What was fetched stays, and it goes on from there.",
    context: { url },
  };
}

/** More or fewer bytes than were signed. */
export const wrongLength = (url: string, got: number, bytes: number): Fault<DownloadCode> => ({
  code: "length-mismatch",
  message: `${url} has ${got} bytes or more, and ${bytes} are signed.`,
  hint: "Nothing of it was kept. Check what lies between this node and the coordinator.",
  context: { url, got, bytes },
});

const badStatus = (url: string, status: number): Fault<DownloadCode> => ({
  code: "http-status",
  message: `${url} was answered with status ${status}.`,
  hint: "Look at the coordinator's log, and whether the release is still published.",
  context: { url, status },
});

const later = (fault: Fault<DownloadCode>): Result<never, AskFault> => err({ fault, retry: "later" });
const never = (fault: Fault<DownloadCode>): Result<never, AskFault> => err({ fault, retry: "never" });

/** A weak validator does not promise the same bytes, and may not be used to resume (RFC 9110, 13.1.5). */
const strongEtag = (etag: string | string[] | undefined): string | null =>
  typeof etag === "string" && /^"[\x21\x23-\x7e]{0,200}"$/.test(etag) ? etag : null;
