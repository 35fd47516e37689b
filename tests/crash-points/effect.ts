/**
 * What the agent or the guard does to a disk, one call of the kernel each: the crash points. Paths are relative to the
 * node's state directory.
 */
export type Effect =
  | { readonly kind: "create"; readonly path: string; readonly mode: number }
  | { readonly kind: "write"; readonly path: string; readonly data: Uint8Array }
  | { readonly kind: "truncate"; readonly path: string; readonly bytes: number }
  | { readonly kind: "chmod"; readonly path: string; readonly mode: number }
  | { readonly kind: "fsync"; readonly path: string }
  | { readonly kind: "fsync-dir"; readonly path: string }
  | { readonly kind: "rename"; readonly from: string; readonly path: string }
  | { readonly kind: "symlink"; readonly path: string; readonly target: string }
  | { readonly kind: "unlink"; readonly path: string }
  | { readonly kind: "mkdir"; readonly path: string; readonly mode: number }
  | { readonly kind: "rmdir"; readonly path: string };

export type EffectKind = Effect["kind"];

/** As a person reads it: `rename state/.journal.json.tmp to state/journal.json`. */
export const showEffect = (effect: Effect): string =>
  effect.kind === "rename"
    ? `rename ${effect.from} to ${effect.path}`
    : `${effect.kind} ${effect.path === "" ? "." : effect.path}`;

/** The same for every run and every build: hashes, versions, numbers and random names made general. */
export const generalPath = (path: string): string =>
  (path === "" ? "." : path)
    .replace(/releases\/\.prepare-[0-9a-f]{12}/, "releases/.prepare-HASH")
    .replace(/releases\/[^./][^/]*-[0-9a-f]{12}/, "releases/BUILD")
    .replace(/[0-9a-f]{64}/, "HASH")
    .replace(/set-[0-9a-f-]{36}/, "set-ID")
    .replace(/j-[0-9a-z]{12}/, "JOB")
    .replace(/(tries|refunds)\/\d+$/, "$1/N");

/** A kind of point: what is done to which file. */
export const showSite = (effect: Effect): string =>
  effect.kind === "rename"
    ? `rename ${generalPath(effect.from)} to ${generalPath(effect.path)}`
    : `${effect.kind} ${generalPath(effect.path)}`;
