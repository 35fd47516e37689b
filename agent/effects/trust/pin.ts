/** Getting the root that a node starts from, when it joins: by its fingerprint, which came with the join token. */
import { hasCanonicalForm, RootMetadata, rootFingerprint } from "../../../protocol/metadata.ts";
import { parseJson } from "../../../protocol/parse.ts";
import { err, ok, type Result } from "../../../protocol/result.ts";
import { verifyFirstRoot } from "../../../protocol/verify.ts";
import { found, TrustError, type TrustFault } from "./fault.ts";
import { readMetadata } from "./fetch.ts";
import type { RefreshOptions } from "./refresh.ts";

/** Most root versions looked at. */
const MAX_ROOTS = 256;

/**
 * The root with this fingerprint, from whatever version it is: roots are looked at from version 1 on, and none is
 * trusted for anything but its fingerprint. Later refreshes follow the chain from it. Errors: `bad-root` when the
 * repository has no such root, and what fetching can fail with.
 */
export async function fetchPinnedRoot(
  options: Pick<RefreshOptions, "metadataUrl" | "fetch" | "timeoutMs" | "signal"> & { fingerprint: string },
): Promise<Result<Buffer, TrustFault>> {
  const { metadataUrl, fetch, timeoutMs, signal, fingerprint } = options;
  try {
    for (let version = 1; version <= MAX_ROOTS; version++) {
      const url = `${metadataUrl.replace(/\/+$/, "")}/${version}.root.json`;
      const bytes = await readMetadata(fetch, { role: "root", url, timeoutMs }, signal);
      if (bytes === null) break;
      const root = parseJson(RootMetadata, bytes.toString(), url);
      if (!root.ok) return err(found("malformed", root.error.message));
      if (!hasCanonicalForm(root.value)) return err(found("malformed", `${url} holds what no key can sign.`));
      if (rootFingerprint(root.value) !== fingerprint) continue;
      const verified = verifyFirstRoot(root.value);
      return verified.ok ? ok(bytes) : err(found("bad-root", verified.error.message));
    }
  } catch (cause) {
    if (cause instanceof TrustError) return err(cause.fault);
    throw cause;
  }
  return err({
    code: "bad-root",
    message: `The coordinator has no root with the fingerprint ${fingerprint}.`,
    hint: "Nothing was joined. Check that the fingerprint is that of this coordinator: `baton keys fingerprint`.",
    context: { fingerprint },
  });
}
