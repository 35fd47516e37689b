/**
 * An offline kit: what a node needs to verify and install a release without a network, as one plain tar. In this
 * order: every root from version 1 on, the targets metadata, the bundles by their hash. Snapshot and timestamp are
 * not in it: they say what is newest, and without a network nobody can know that.
 */

export const KIT_TARGETS = "metadata/targets.json";

export const kitRootName = (version: number): string => `metadata/${version}.root.json`;

export const kitBundleName = (sha256: string): string => `targets/${sha256}`;

/** What an entry of a kit is; null for what does not belong in one. */
export function readKitName(
  name: string,
):
  | { readonly kind: "root"; readonly version: number }
  | { readonly kind: "targets" }
  | { readonly kind: "bundle"; readonly sha256: string }
  | null {
  if (name === KIT_TARGETS) return { kind: "targets" };
  const root = /^metadata\/([1-9]\d{0,8})\.root\.json$/.exec(name)?.[1];
  if (root !== undefined) return { kind: "root", version: Number(root) };
  const sha256 = /^targets\/([0-9a-f]{64})$/.exec(name)?.[1];
  return sha256 === undefined ? null : { kind: "bundle", sha256 };
}
