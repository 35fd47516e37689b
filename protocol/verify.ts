/**
 * Verifying single pieces of metadata under a root: what the publisher does before it signs on top of something,
 * and the coordinator before it serves something. The agent follows the whole client workflow instead; both rest
 * on the same `verifyDelegate`.
 */
import { Metadata, MetadataKind } from "@tufjs/models";
import { keyIdOf, type Role, type RootMetadata, type Signed } from "./metadata.ts";
import { err, type Fault, ok, type Result } from "./result.ts";

type Json = Parameters<typeof Metadata.fromJSON>[1];
type Verified = Result<void, Fault<"bad-signature">>;

/** Whether enough of the keys that `root` names for `role` have signed `metadata`. */
export function verifySigned(root: RootMetadata, role: Role, metadata: Signed<unknown>): Verified {
  try {
    const trusted = Metadata.fromJSON(MetadataKind.Root, root as unknown as Json);
    trusted.verifyDelegate(role, read(role, metadata));
    return ok(undefined);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    return err({
      code: "bad-signature",
      message: `The ${role} metadata is not signed as root version ${root.signed.version} demands: ${message}.`,
    });
  }
}

/**
 * Whether `next` may follow `current`: one version on, signed by the keys of both, every key under its own id.
 * Source: TUF specification 1.0.31, 5.3.4 and 5.3.5.
 */
export function verifyNextRoot(current: RootMetadata, next: RootMetadata): Verified {
  if (next.signed.version !== current.signed.version + 1) {
    return err({
      code: "bad-signature",
      message: `Root version ${next.signed.version} does not follow version ${current.signed.version}.`,
      hint: `Install version ${current.signed.version + 1} first.`,
    });
  }
  const byOld = verifySigned(current, "root", next);
  return byOld.ok ? verifyFirstRoot(next) : byOld;
}

/** Whether a root is signed by the keys that it names itself, every key under its own id. */
export function verifyFirstRoot(root: RootMetadata): Verified {
  for (const [keyid, key] of Object.entries(root.signed.keys)) {
    if (keyIdOf(key) !== keyid) {
      return err({
        code: "bad-signature",
        message: `Root version ${root.signed.version} names a key under an id that is not its own: ${keyid}.`,
      });
    }
  }
  return verifySigned(root, "root", root);
}

function read(role: Role, metadata: Signed<unknown>) {
  const json = metadata as unknown as Json;
  switch (role) {
    case "root":
      return Metadata.fromJSON(MetadataKind.Root, json);
    case "targets":
      return Metadata.fromJSON(MetadataKind.Targets, json);
    case "snapshot":
      return Metadata.fromJSON(MetadataKind.Snapshot, json);
    case "timestamp":
      return Metadata.fromJSON(MetadataKind.Timestamp, json);
  }
}
