/** How a browser signs in: a token, or a link that works once, is exchanged for a cookie that no script can read. */
import { OperatorRole } from "./access.ts";
import { type Static, Type } from "./schema.ts";

const closed = { additionalProperties: false };
const secret = Type.String({ minLength: 1, maxLength: 512 });

/** An operator's token, or the secret of a sign-in link. */
export const SignInRequest = Type.Union(
  [Type.Object({ token: secret }, closed), Type.Object({ link: secret }, closed)],
  { title: "SignInRequest" },
);
export type SignInRequest = Static<typeof SignInRequest>;

/** Who is signed in, as the operator of which token, and until when. The secret of it is in a cookie only. */
export const SignedIn = Type.Object(
  { id: Type.String(), name: Type.String(), role: OperatorRole, expiresAt: Type.Integer() },
  { ...closed, title: "SignedIn" },
);
export type SignedIn = Static<typeof SignedIn>;

/** An address that signs a browser in, once. Its secret stands behind the `#`, which no server and no log sees. */
export const SignInLink = Type.Object(
  { url: Type.String(), expiresAt: Type.Integer() },
  { ...closed, title: "SignInLink" },
);
export type SignInLink = Static<typeof SignInLink>;

/**
 * Header without which nothing is changed for a cookie. A page of another site cannot send it unless we said that it
 * may, and we never do.
 */
export const DASHBOARD_HEADER = "baton-dashboard";

/** Path of the page that takes a sign-in link. */
export const SIGN_IN_PAGE = "/sign-in";
