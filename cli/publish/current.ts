/** What the coordinator has published now, believed only as far as our own keys have signed it. */
import { type RootMetadata, TargetsMetadata } from "../../protocol/metadata.ts";
import { parse } from "../../protocol/parse.ts";
import { ReleaseList } from "../../protocol/release.ts";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import { Type } from "../../protocol/schema.ts";
import { metadataName, TUF_METADATA_PATH } from "../../protocol/trust.ts";
import { verifySigned } from "../../protocol/verify.ts";
import type { ApiClient } from "../api/client.ts";

/** What publishing needs of the API. */
export type PublishApi = Pick<ApiClient, "call" | "upload">;

/**
 * The published targets metadata; null before the first release. A coordinator is not asked to be honest: what it
 * answers must be signed by the targets keys and be no older than what was signed here last, or the next publish
 * would sign its forgery. `afterRestore` says that it may be older, since it was restored from a backup. Errors: `bad-signature`, `rolled-back`, `malformed`, and those of the API.
 */
export async function currentTargets(
  api: PublishApi,
  root: RootMetadata,
  lastHere: TargetsMetadata | null,
  afterRestore = false,
): Promise<Result<TargetsMetadata | null, Fault>> {
  const list = await api.call({ path: "/v1/releases", answer: ReleaseList });
  if (!list.ok) return list;
  const { targetsVersion } = list.value;
  const signedHere = lastHere?.signed.version ?? 0;
  if (targetsVersion < signedHere && !afterRestore) {
    return err({
      code: "rolled-back",
      message: `The coordinator has targets version ${targetsVersion}, and version ${signedHere} was published from here.`,
      hint: "Nothing was published. If keys were rotated here, install that file first with `coordinator trust`. If the coordinator was restored from a backup, say --after-restore. Else it hides something: see docs/SECURITY.md.",
      context: { targetsVersion, signedHere },
    });
  }
  if (targetsVersion === 0) return ok(null);
  const path = `${TUF_METADATA_PATH}/${metadataName("targets", targetsVersion)}`;
  // Not by its schema: that would leave out what it does not know, and the signature covers all of it.
  const answer = await api.call({ path, answer: Type.Unknown() });
  if (!answer.ok) return answer;
  const targets = parse(TargetsMetadata, answer.value, path);
  if (!targets.ok) return targets;
  const verified = verifySigned(root, "targets", targets.value as TargetsMetadata);
  if (!verified.ok) {
    return err({
      ...verified.error,
      message: `The coordinator's targets version ${targetsVersion} is not signed by the keys in use here. ${verified.error.message}`,
      hint: "Nothing was published. Use the directory that holds the current keys, and install its newest root with `coordinator trust`; if that is done, see docs/SECURITY.md.",
    });
  }
  return ok(targets.value as TargetsMetadata);
}
