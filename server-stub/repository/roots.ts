/** Which roots may be installed after which, and whether the keys held here are the ones that a root names. */
import type { TrustUpdate } from "../../protocol/ceremony.ts";
import { canonicalBytes, ONLINE_ROLES, type RootMetadata } from "../../protocol/metadata.ts";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import type { EpochMs } from "../../protocol/time.ts";
import { verifyFirstRoot, verifyNextRoot } from "../../protocol/verify.ts";
import { namedKeys, type OnlineKeys } from "./online-keys.ts";

export type RootRefused = Fault<"root-refused">;
export type TrustNotReady = Fault<"trust-not-ready">;

/** The roots that are news, each checked against the one before it. Error: `root-refused`. */
export function newRoots(
  current: RootMetadata | null,
  updates: readonly TrustUpdate[],
): Result<readonly RootMetadata[], RootRefused> {
  const fresh: RootMetadata[] = [];
  let last = current;
  for (const { root } of updates) {
    if (last !== null && (sameSigned(last, root) || root.signed.version < last.signed.version)) continue;
    if (last === null && root.signed.version !== 1) {
      return rootRefused(
        `The first root that is installed must be version 1, not ${root.signed.version}.`,
        "Name all roots from version 1 on, in their order.",
      );
    }
    const verified = last === null ? verifyFirstRoot(root) : verifyNextRoot(last, root);
    if (!verified.ok) return rootRefused(verified.error.message, verified.error.hint);
    fresh.push(root);
    last = root;
  }
  return ok(fresh);
}

/** Whether enough keys are held here to sign what `root` leaves to the coordinator. */
export const holdsKeysOf = (keys: OnlineKeys, root: RootMetadata): boolean =>
  ONLINE_ROLES.every((role) => {
    const named = root.signed.roles[role];
    return namedKeys(keys[role], [named]).length >= named.threshold;
  });

/** The root under which something may be published now. Error: `trust-not-ready`. */
export function readyRoot(
  root: RootMetadata | null,
  keys: OnlineKeys,
  now: EpochMs,
): Result<RootMetadata, TrustNotReady> {
  if (root === null) {
    return notReady(
      "This coordinator has no root yet, so nothing can be published.",
      "Answer its key request with `baton keys sign`, and install the root with `coordinator trust FILE`.",
    );
  }
  const { version, expires } = root.signed;
  if (!holdsKeysOf(keys, root)) return notReady(...foreignKeys(version));
  if (Date.parse(expires) > now) return ok(root);
  return notReady(
    `Root version ${version} expired on ${expires}.`,
    "Sign a new one with `baton keys renew`, and install it with `coordinator trust FILE`.",
  );
}

/** Message and hint for a root that names other snapshot and timestamp keys than those held here. */
export const foreignKeys = (version: number): [string, string] => [
  `Root version ${version} does not name the snapshot and timestamp keys that are held here.`,
  "Have the publisher sign this coordinator's key request, and install the root that comes out.",
];

export const notReady = (message: string, hint: string): Result<never, TrustNotReady> =>
  err({ code: "trust-not-ready", message, hint });

export const rootRefused = (message: string, hint = "The root is as it was."): Result<never, RootRefused> =>
  err({ code: "root-refused", message, hint });

/** Whether two pieces of metadata sign the same, whatever their signatures. */
export const sameSigned = (a: { signed: unknown }, b: { signed: unknown }): boolean =>
  canonicalBytes(a.signed).equals(canonicalBytes(b.signed));
