/** Bundles as the publisher has them on disk: read by the rules of who will unpack them, before anything is signed. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { VersionJson } from "../../protocol/build.ts";
import { NO_SINK, readBundle } from "../../protocol/bundle-reader.ts";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import { MAX_BUNDLE_BYTES } from "../../protocol/trust.ts";

export type BundleFile = {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly versionJson: VersionJson;
};

/**
 * Reads a bundle from end to end: it obeys every rule, and its build hash is what its `version.json` says. Errors:
 * those of `readBundle`, `no-file`, `too-large`.
 */
export async function openBundle(file: string): Promise<Result<BundleFile, Fault>> {
  const hash = createHash("sha256");
  let bytes = 0;
  async function* measured() {
    for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 })) {
      hash.update(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      yield chunk as Buffer;
    }
  }
  try {
    const read = await readBundle(measured(), NO_SINK);
    if (!read.ok) return err({ ...read.error, message: `${file}: ${read.error.message}` });
    if (bytes > MAX_BUNDLE_BYTES) {
      return err({
        code: "too-large",
        message: `${file} has ${bytes} bytes, and a bundle may have ${MAX_BUNDLE_BYTES}.`,
      });
    }
    return ok({ file, bytes, sha256: hash.digest("hex"), versionJson: read.value.versionJson });
  } catch (cause) {
    if (!(cause instanceof Error && "syscall" in cause)) throw cause;
    return err({ code: "no-file", message: `${file} cannot be read: ${cause.message}.`, context: { file } });
  }
}
