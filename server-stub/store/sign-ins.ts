/** What is kept of browsers that are signed in, and of links that sign one in. Secrets are kept as SHA-256 only. */
import type { EpochMs } from "../../protocol/time.ts";

/** A browser that is signed in as the operator of a token, and for no longer than that token is good. */
export type SignInRecord = {
  readonly hash: string;
  readonly tokenId: string;
  readonly createdAt: EpochMs;
  readonly expiresAt: EpochMs;
};

/** A link that signs a browser in, once. Without a token it was made at the control socket: a token is made with it. */
export type SignInLinkRecord = {
  readonly hash: string;
  readonly tokenId: string | null;
  readonly expiresAt: EpochMs;
};

/** Records are written once and never changed, so they have no revision. */
export type SignInChange =
  | { readonly kind: "sign-in"; readonly value: SignInRecord }
  /** What is not there is no conflict. */
  | { readonly kind: "remove-sign-in"; readonly hash: string }
  | { readonly kind: "sign-in-link"; readonly value: SignInLinkRecord }
  /** A conflict when it was used before: of two who come with it, one is let in. */
  | { readonly kind: "use-sign-in-link"; readonly hash: string }
  /** Removes sign-ins and links that have expired by then. */
  | { readonly kind: "forget-sign-ins"; readonly before: EpochMs };
