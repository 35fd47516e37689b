/** What is said of tokens: pure. */
import type { JoinToken, OperatorToken } from "../../../../protocol/access.ts";
import type { Tone } from "../../parts/mark.tsx";

export type Standing = { readonly tone: Tone; readonly word: string; readonly good: boolean };

const GOOD: Standing = { tone: "good", word: "good", good: true };
const REVOKED: Standing = { tone: "bad", word: "revoked", good: false };
const EXPIRED: Standing = { tone: "idle", word: "expired", good: false };

export function standingOf(
  { revoked, expiresAt }: Pick<OperatorToken, "revoked" | "expiresAt">,
  now: number,
): Standing {
  if (revoked) return REVOKED;
  return expiresAt !== null && expiresAt <= now ? EXPIRED : GOOD;
}

export function joinStandingOf(token: JoinToken, now: number): Standing {
  const standing = standingOf(token, now);
  if (standing.good && token.usesLeft === 0) return { tone: "idle", word: "used up", good: false };
  return standing;
}

/** Why a name does not do; null when it does. */
export function whyNoName(name: string): string | null {
  if (name.trim() === "") return "Give it a name first";
  return name.trim().length > 64 ? "The name is longer than 64 characters" : null;
}
