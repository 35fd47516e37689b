/**
 * What is at no route of the API may be of the dashboard: one of its files, or one of its pages, which are all the
 * same document and find out in the browser what they are. Nothing of it is anybody's: what it shows it asks for.
 *
 * Invariant: below `/v1/` and `/tuf/` there is never anything of it.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { DashboardFile, DashboardFiles, Encoding } from "./files.ts";

const OF_THE_API = /^\/(v1|tuf|healthz|readyz|metrics|openapi\.json|assets)(\/|$)/;

/**
 * Everything comes from here, nothing is in the page itself, and no other page may hold it in a frame.
 * Source: Content Security Policy Level 3; Trusted Types.
 */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

/** Answers with the dashboard's file or page; null when there is none for this request. */
export async function answerDashboard(
  request: FastifyRequest,
  reply: FastifyReply,
  files: DashboardFiles | null,
): Promise<FastifyReply | null> {
  const { method, headers } = request;
  if (files === null || (method !== "GET" && method !== "HEAD")) return null;
  const path = request.url.split("?")[0] ?? "/";
  const isPage = path === "/" || (!OF_THE_API.test(path) && wantsPage(headers.accept));
  const file = files.byPath.get(path) ?? (isPage ? files.index : undefined);
  return file === undefined ? null : send(request, reply, file);
}

/** A browser that goes somewhere asks for HTML; what a page or a program fetches does not. */
const wantsPage = (accept: string | undefined): boolean => accept?.includes("text/html") === true;

async function send(
  request: FastifyRequest,
  reply: FastifyReply,
  file: DashboardFile,
): Promise<FastifyReply> {
  const { headers, method } = request;
  reply
    .code(200)
    .header("content-security-policy", CONTENT_SECURITY_POLICY)
    .header("cross-origin-opener-policy", "same-origin")
    .header("cross-origin-resource-policy", "same-origin")
    .header("referrer-policy", "same-origin")
    .header("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
    .header("x-content-type-options", "nosniff")
    .header("x-frame-options", "DENY")
    .header("vary", "accept-encoding")
    .header("etag", file.etag)
    .header("cache-control", file.immutable ? "public, max-age=31536000, immutable" : "no-cache");
  if (headers["if-none-match"]?.split(",").some((tag) => tag.trim().replace(/^W\//, "") === file.etag))
    return reply.code(304).send();
  const encoding = encodingFor(headers["accept-encoding"]);
  if (encoding !== "identity") reply.header("content-encoding", encoding);
  const body = await file.body(encoding);
  reply.type(file.type).header("content-length", String(body.length));
  return reply.send(method === "HEAD" ? "" : body);
}

/** The smallest that the browser takes. One that is refused by `q=0` is as one that is not named. */
function encodingFor(header: string | string[] | undefined): Encoding {
  const taken = String(header ?? "")
    .split(",")
    .map((each) => each.trim())
    .filter((each) => !/;\s*q=0(\.0*)?$/.test(each))
    .map((each) => each.split(";")[0]);
  if (taken.includes("br")) return "br";
  return taken.includes("gzip") ? "gzip" : "identity";
}
