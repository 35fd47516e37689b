/**
 * The cookie of a browser that is signed in: no script reads it (`HttpOnly`), no other site's page sends it
 * (`SameSite=Strict`), and over TLS it is bound to this host and never sent in the clear (`__Host-`, `Secure`).
 * Source: RFC 6265bis, 4.1.2.
 */
import type { IncomingHttpHeaders } from "node:http";
import { parseCookie, stringifySetCookie } from "cookie";
import type { DurationMs } from "../../protocol/time.ts";

const nameOf = (secure: boolean): string => (secure ? "__Host-baton" : "baton");

/** Whether people come over TLS, whoever ends it. */
export const isSecure = (publicUrl: string): boolean => publicUrl.startsWith("https:");

/** What the cookie of a request holds; null without one. */
export const secretIn = ({ cookie }: IncomingHttpHeaders, secure: boolean): string | null =>
  (cookie === undefined ? undefined : parseCookie(cookie)[nameOf(secure)]) ?? null;

/** Value of `Set-Cookie`; without a secret the cookie is taken away. */
export const cookieWith = (secret: string | null, forMs: DurationMs, secure: boolean): string =>
  stringifySetCookie({
    name: nameOf(secure),
    value: secret ?? "",
    path: "/",
    httpOnly: true,
    sameSite: "strict",
    secure,
    maxAge: secret === null ? 0 : Math.max(0, Math.floor(forMs / 1000)),
  });
