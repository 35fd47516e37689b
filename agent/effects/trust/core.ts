/**
 * The trust core of tuf-js: every check of the client workflow, without I/O. It is loaded when it is needed, since
 * an idle agent does not need it.
 *
 * It is used directly, and not through tuf-js's `Updater`, which writes its cache without fsync, takes the time
 * from the machine's clock, hides the kind of an error in a text, and keeps old timestamps after their keys were
 * replaced. Source: ADR 0030.
 */
import type { TrustedMetadataStore } from "tuf-js/dist/store.js";
import type { RootSigned } from "../../../protocol/metadata.ts";
import type { EpochMs } from "../../../protocol/time.ts";

export type TrustCore = TrustedMetadataStore;

/** Starts from a root; expiries are judged at `reference`. Null when the root is torn or not signed by itself. */
export async function openCore(root: Uint8Array, reference: EpochMs): Promise<TrustCore | null> {
  const { TrustedMetadataStore } = await import("tuf-js/dist/store.js");
  const core = attempt(() => new TrustedMetadataStore(Buffer.from(root)));
  if (core === null) return null;
  if (!(Reflect.get(core, "referenceTime") instanceof Date)) {
    throw new Error("this tuf-js keeps its reference time elsewhere: the clock cannot be clamped");
  }
  Reflect.set(core, "referenceTime", new Date(reference));
  return core;
}

/** What the trusted root says, as plain JSON. */
export const rootOf = (core: TrustCore): RootSigned => core.root.signed.toJSON() as unknown as RootSigned;

/**
 * The time at which expiries are judged: never before this build was made, nor before what was proven already, so
 * that a clock that fell back to 1970 does not bring old metadata to life.
 */
export const referenceTime = (now: EpochMs, builtAt: EpochMs, lastSeen: EpochMs): EpochMs =>
  Math.max(now, builtAt, lastSeen);

/** What `load` answers; null when it throws: for metadata on disk, which is fetched anew if it does not verify. */
export function attempt<T>(load: () => T): T | null {
  try {
    return load();
  } catch {
    return null;
  }
}
