/**
 * Signed metadata of The Update Framework: its shapes, its canonical bytes, its keys and how it is signed.
 * Verifying is not done here but by tuf-js (`verify.ts`, and the agent's trust).
 *
 * Invariants: unknown members are kept (they are part of what was signed); every key is Ed25519; a key's id is
 * the SHA-256 of its canonical form, so the same key never has two ids.
 * Source: TUF specification 1.0.31, section 4.
 */
import { createHash, createPublicKey, type KeyObject, sign } from "node:crypto";
import { canonicalize } from "@tufjs/canonical-json";
import { Sha256 } from "./build.ts";
import { type Static, type TSchema, Type } from "./schema.ts";

export const SPEC_VERSION = "1.0.31";

export const ROLES = ["root", "targets", "snapshot", "timestamp"] as const;
export type Role = (typeof ROLES)[number];

/** Roles whose keys stay with the publisher, and roles whose keys the coordinator holds. */
export type OfflineRole = "root" | "targets";
export type OnlineRole = "snapshot" | "timestamp";
export const ONLINE_ROLES = ["snapshot", "timestamp"] as const;

export const PublicKey = Type.Object(
  {
    keytype: Type.Literal("ed25519"),
    scheme: Type.Literal("ed25519"),
    keyval: Type.Object({ public: Type.String({ pattern: "^[0-9a-f]{64}$" }) }),
  },
  { title: "PublicKey" },
);
export type PublicKey = Static<typeof PublicKey>;

const RoleKeys = Type.Object({
  keyids: Type.Array(Sha256, { maxItems: 64 }),
  threshold: Type.Integer({ minimum: 1 }),
});
export type RoleKeys = Static<typeof RoleKeys>;

const common = {
  spec_version: Type.String({ pattern: "^1\\.\\d+(\\.\\d+)?$" }),
  version: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  expires: Type.String({ pattern: "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}Z$" }),
};

export const RootSigned = Type.Object({
  _type: Type.Literal("root"),
  ...common,
  consistent_snapshot: Type.Literal(true),
  keys: Type.Record(Sha256, PublicKey),
  roles: Type.Object({ root: RoleKeys, targets: RoleKeys, snapshot: RoleKeys, timestamp: RoleKeys }),
});
export type RootSigned = Static<typeof RootSigned>;

export const TargetEntry = Type.Object({
  length: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  hashes: Type.Object({ sha256: Sha256 }),
  custom: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
});
export type TargetEntry = Static<typeof TargetEntry>;

export const TargetsSigned = Type.Object({
  _type: Type.Literal("targets"),
  ...common,
  targets: Type.Record(Type.String({ minLength: 1, maxLength: 255 }), TargetEntry),
});
export type TargetsSigned = Static<typeof TargetsSigned>;

const MetaFile = Type.Object({
  version: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  length: Type.Optional(Type.Integer({ minimum: 1 })),
  hashes: Type.Optional(Type.Object({ sha256: Sha256 })),
});
export type MetaFile = Static<typeof MetaFile>;

export const SnapshotSigned = Type.Object({
  _type: Type.Literal("snapshot"),
  ...common,
  meta: Type.Object({ "targets.json": MetaFile }),
});
export type SnapshotSigned = Static<typeof SnapshotSigned>;

export const TimestampSigned = Type.Object({
  _type: Type.Literal("timestamp"),
  ...common,
  /** When it was signed, by the coordinator's clock: what the agent remembers as "last seen". Not part of TUF. */
  signed_at: Type.Optional(Type.String()),
  meta: Type.Object({ "snapshot.json": MetaFile }),
});
export type TimestampSigned = Static<typeof TimestampSigned>;

const envelope = <S extends TSchema>(signed: S, title: string) =>
  Type.Object(
    {
      signatures: Type.Array(
        Type.Object({ keyid: Sha256, sig: Type.String({ pattern: "^([0-9a-f]{128})?$" }) }),
        { maxItems: 64 },
      ),
      signed,
    },
    { title },
  );

/** Signed metadata as it lies in a file: what was signed, and by which keys. */
export type Signed<T> = { signatures: { keyid: string; sig: string }[]; signed: T };

export const RootMetadata = envelope(RootSigned, "RootMetadata");
export type RootMetadata = Signed<RootSigned>;
export const TargetsMetadata = envelope(TargetsSigned, "TargetsMetadata");
export type TargetsMetadata = Signed<TargetsSigned>;
export const SnapshotMetadata = envelope(SnapshotSigned, "SnapshotMetadata");
export type SnapshotMetadata = Signed<SnapshotSigned>;
export const TimestampMetadata = envelope(TimestampSigned, "TimestampMetadata");
export type TimestampMetadata = Signed<TimestampSigned>;

/** A private key and the id of its public half. */
export type Signer = { readonly keyid: string; readonly privateKey: KeyObject };

/** The bytes that are signed: canonical JSON. Throws on fractions and `undefined`, which it cannot express. */
export const canonicalBytes = (value: unknown): Buffer => Buffer.from(canonicalize(value));

/** Whether a value can be signed at all. What comes from a stranger may hold fractions, or be deeper than any stack. */
export function hasCanonicalForm(value: unknown): boolean {
  try {
    canonicalBytes(value);
    return true;
  } catch (cause) {
    if (cause instanceof TypeError || cause instanceof RangeError) return false;
    throw cause;
  }
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

export const keyIdOf = (key: PublicKey): string => sha256(canonicalBytes(key));

/** The public half of an Ed25519 key, private or public, as TUF writes it. */
export function publicKeyOf(key: KeyObject): PublicKey {
  const { x } = (key.type === "private" ? createPublicKey(key) : key).export({ format: "jwk" });
  if (key.asymmetricKeyType !== "ed25519" || x === undefined) throw new Error("not an Ed25519 key");
  const hex = Buffer.from(x, "base64url").toString("hex");
  return { keytype: "ed25519", scheme: "ed25519", keyval: { public: hex } };
}

export const signerOf = (privateKey: KeyObject): Signer => ({
  keyid: keyIdOf(publicKeyOf(privateKey)),
  privateKey,
});

/** Signs with every signer. Signatures that are there already, by other keys, are kept. */
export function signMetadata<T>(
  signed: T,
  signers: readonly Signer[],
  kept: Signed<T>["signatures"] = [],
): Signed<T> {
  const bytes = canonicalBytes(signed);
  const fresh = new Map(
    signers.map(({ keyid, privateKey }) => [keyid, sign(undefined, bytes, privateKey).toString("hex")]),
  );
  return {
    signatures: [
      ...kept.filter(({ keyid }) => !fresh.has(keyid)),
      ...[...fresh].map(([keyid, sig]) => ({ keyid, sig })),
    ],
    signed,
  };
}

/**
 * What a node is told to trust when it joins: SHA-256, in hex, of the canonical form of what a root *signs*, not
 * of the file, so that a signature added later does not change it.
 */
export const rootFingerprint = (root: RootMetadata): string => sha256(canonicalBytes(root.signed));

/** An instant as TUF writes it: UTC, whole seconds. */
export const tufInstant = (epochMs: number): string =>
  `${new Date(epochMs).toISOString().slice(0, "YYYY-MM-DDTHH:MM:SS".length)}Z`;

/** A metadata file's text. Compact, since only the canonical form is signed and the length is hashed as it is. */
export const metadataText = (metadata: Signed<unknown>): string => `${JSON.stringify(metadata)}\n`;
