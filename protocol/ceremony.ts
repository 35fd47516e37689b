/**
 * The ceremony by which a publisher's root comes to name a coordinator's keys: the coordinator asks with the
 * public halves of its snapshot and timestamp keys, each proving that it holds the private half; the publisher
 * answers with a signed root (`TrustUpdate`).
 */
import { createPublicKey, sign, verify } from "node:crypto";
import {
  canonicalBytes,
  hasCanonicalForm,
  keyIdOf,
  PublicKey,
  publicKeyOf,
  RootMetadata,
  type Signer,
  TargetsMetadata,
} from "./metadata.ts";
import { parseJson } from "./parse.ts";
import { err, type Fault, ok, type Result } from "./result.ts";
import { type Static, Type } from "./schema.ts";

const AskedKey = Type.Object(
  { key: PublicKey, proof: Type.String({ pattern: "^[0-9a-f]{128}$" }) },
  { additionalProperties: false },
);

/** What `coordinator init` prints and `baton keys sign` answers. One of the roles may be left out when only the other changes. */
export const KeyRequest = Type.Object(
  {
    kind: Type.Literal("baton-key-request"),
    format: Type.Literal(1),
    keys: Type.Object(
      { snapshot: Type.Optional(AskedKey), timestamp: Type.Optional(AskedKey) },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false, title: "KeyRequest" },
);
export type KeyRequest = Static<typeof KeyRequest>;

/** What a publisher hands to the coordinator: the next root and, when that changes the targets keys, targets signed anew. */
export const TrustUpdate = Type.Object(
  { root: RootMetadata, targets: Type.Optional(TargetsMetadata) },
  { additionalProperties: false, title: "TrustUpdate" },
);
export type TrustUpdate = { root: RootMetadata; targets?: TargetsMetadata };

/** Asks for the keys to be named, proving for each that it is held. */
export function requestKeys(keys: Partial<Record<"snapshot" | "timestamp", Signer>>): KeyRequest {
  const asked = Object.entries(keys).map(([role, { privateKey }]) => {
    const key = publicKeyOf(privateKey);
    return [role, { key, proof: sign(undefined, proofBytes(role, key), privateKey).toString("hex") }];
  });
  return { kind: "baton-key-request", format: 1, keys: Object.fromEntries(asked) };
}

/** The keys of a request whose proofs hold. Errors: `malformed`, `bad-proof`. */
export function readKeyRequest(
  text: string,
): Result<Partial<Record<"snapshot" | "timestamp", PublicKey>>, Fault<"malformed" | "bad-proof">> {
  const request = parseJson(KeyRequest, text, "The key request");
  if (!request.ok) return request;
  if (!hasCanonicalForm(request.value))
    return err({ code: "malformed", message: "The key request holds what no key can sign." });
  const keys: Partial<Record<"snapshot" | "timestamp", PublicKey>> = {};
  for (const role of ["snapshot", "timestamp"] as const) {
    const asked = request.value.keys[role];
    if (asked === undefined) continue;
    if (!proves(role, asked.key, asked.proof)) {
      return err({
        code: "bad-proof",
        message: `The key request does not prove that its ${role} key is held by who asks.`,
        hint: "Have the coordinator write the request anew, and carry the file over unchanged.",
      });
    }
    keys[role] = asked.key;
  }
  return ok(keys);
}

/** Reads a `TrustUpdate`, or a bare root as one. Error: `malformed`. */
export function readTrustUpdate(text: string): Result<TrustUpdate, Fault<"malformed">> {
  const bare = parseJson(RootMetadata, text, "The root metadata");
  if (bare.ok) return ok({ root: bare.value });
  const update = parseJson(TrustUpdate, text, "The trust update");
  return update.ok ? ok(update.value as TrustUpdate) : update;
}

const proofBytes = (role: string, key: PublicKey): Buffer =>
  canonicalBytes({ kind: "baton-key-request", role, keyid: keyIdOf(key) });

function proves(role: string, key: PublicKey, proof: string): boolean {
  const x = Buffer.from(key.keyval.public, "hex").toString("base64url");
  const publicKey = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  return verify(undefined, proofBytes(role, key), publicKey, Buffer.from(proof, "hex"));
}
