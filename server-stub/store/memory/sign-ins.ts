import type { SignInChange, SignInLinkRecord, SignInRecord } from "../sign-ins.ts";
import type { Write } from "./write.ts";

export type SignInState = {
  readonly signIns: Map<string, SignInRecord>;
  readonly signInLinks: Map<string, SignInLinkRecord>;
};

export const firstSignInState = (): SignInState => ({ signIns: new Map(), signInLinks: new Map() });

/** False: the expectation does not hold. */
export function applySignIn(
  { signIns, signInLinks }: SignInState,
  change: SignInChange,
  write: Write,
): boolean {
  switch (change.kind) {
    case "sign-in":
      if (signIns.has(change.value.hash)) return false;
      write.set(signIns, change.value.hash, change.value);
      return true;
    case "remove-sign-in":
      write.remove(signIns, change.hash);
      return true;
    case "sign-in-link":
      if (signInLinks.has(change.value.hash)) return false;
      write.set(signInLinks, change.value.hash, change.value);
      return true;
    case "use-sign-in-link":
      if (!signInLinks.has(change.hash)) return false;
      write.remove(signInLinks, change.hash);
      return true;
    case "forget-sign-ins":
      for (const records of [signIns, signInLinks] as Map<string, { expiresAt: number }>[]) {
        for (const [hash, { expiresAt }] of records) {
          if (expiresAt <= change.before) write.remove(records, hash);
        }
      }
      return true;
  }
}

/** What the store reads of it. */
export const readSignIns = ({ signIns, signInLinks }: SignInState) => ({
  signIn: (hash: string) => Promise.resolve(signIns.get(hash) ?? null),
  signInLink: (hash: string) => Promise.resolve(signInLinks.get(hash) ?? null),
});
