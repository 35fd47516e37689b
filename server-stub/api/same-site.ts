/**
 * A cookie is sent by the browser, whoever asked for the request. So what changes something for a cookie must come
 * from our own page: it carries a header that another site's page cannot send, and the browser says where it is from.
 * Source: OWASP, Cross-Site Request Forgery Prevention ("Fetch Metadata" and "custom request headers"); the Fetch
 * standard, 3.2 (`Origin`).
 */
import type { IncomingHttpHeaders } from "node:http";
import { DASHBOARD_HEADER } from "../../protocol/sign-in.ts";
import type { Refusal } from "../service/coordinator.ts";

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/** Why a request may not be done for a cookie; null when it may. `publicUrl`: where people reach this coordinator. */
export function crossSiteRefusal(
  { method, headers }: { readonly method: string; readonly headers: IncomingHttpHeaders },
  publicUrl: string,
): Refusal | null {
  if (SAFE.has(method)) return null;
  if (headers[DASHBOARD_HEADER] !== undefined && isOurs(headers, publicUrl)) return null;
  return {
    code: "forbidden",
    message: "This request does not come from the dashboard, and nothing was done.",
    hint: 'Programs send "Authorization: Bearer …" with a token in place of the cookie.',
  };
}

/** What the browser says of itself decides; where it says nothing (plain HTTP beyond this machine), the origin does. */
function isOurs(headers: IncomingHttpHeaders, publicUrl: string): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined) return site === "same-origin";
  const { origin } = headers;
  if (origin === undefined || !URL.canParse(origin)) return false;
  return origin === new URL(publicUrl).origin || new URL(origin).host === headers.host;
}
