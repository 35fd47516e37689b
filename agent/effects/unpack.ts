import { type Build, type Platform, sameBuild, showBuild, type VersionJson } from "../../protocol/build.ts";
import { type BundleFault, bundleFault } from "../../protocol/bundle-faults.ts";
import { readBundle } from "../../protocol/bundle-reader.ts";
import { type BundleLimits, DEFAULT_BUNDLE_LIMITS } from "../../protocol/bundle-rules.ts";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import type { Disk } from "./disk.ts";
import { hasCode } from "./durable.ts";
import { TreeWriter } from "./unpack-tree.ts";

export type UnpackRequest = {
  readonly disk: Disk;
  /** The downloaded bundle, already verified against its signature. */
  readonly archivePath: string;
  /** A directory that does not exist, on the file system of the releases. */
  readonly into: string;
  readonly limits?: BundleLimits;
  /** The build that was ordered. */
  readonly expected: Build;
  readonly platform: Platform;
};

export type UnpackFault = BundleFault | Fault<"disk-full">;

/**
 * Unpacks a bundle into `into`, trusting nothing of it, and returns when every file and every directory of it is on
 * the disk. Anything that is not exactly the ordered build by the rules of `protocol/bundle-rules.ts` is a fault,
 * and so is a full disk; then, and when it throws for an I/O error, nothing of it remains.
 *
 * It neither seals the tree nor gives it its name under `releases/`: see `seal`.
 */
export async function unpackBundle(request: UnpackRequest): Promise<Result<VersionJson, UnpackFault>> {
  const { disk, into } = request;
  await disk.mkdir(into, 0o755);
  const writer = new TreeWriter(disk, into);
  try {
    await disk.chmod(into, 0o755);
    const result = await unpack(request, writer);
    if (!result.ok) await discard(disk, into, writer);
    return result;
  } catch (cause) {
    await discard(disk, into, writer);
    if (!hasCode(cause, "ENOSPC") && !hasCode(cause, "EDQUOT")) throw cause;
    return err({
      code: "disk-full",
      message: "The disk was full before the bundle was unpacked; what had been unpacked was removed again.",
      hint: "Free some space or inodes; the update is tried again.",
      context: { directory: into },
    });
  }
}

async function unpack(request: UnpackRequest, writer: TreeWriter): Promise<Result<VersionJson, BundleFault>> {
  const limits = request.limits ?? DEFAULT_BUNDLE_LIMITS;
  const read = await readBundle(fileChunks(request.disk, request.archivePath), writer, limits);
  if (!read.ok) return read;
  const { versionJson } = read.value;
  if (!sameBuild(versionJson, request.expected) || versionJson.version !== request.expected.version) {
    const ordered = showBuild(request.expected);
    return bundleFault("bundle-wrong-build", `is ${showBuild(versionJson)}, and ${ordered} was ordered`);
  }
  if (versionJson.platform !== request.platform) {
    return bundleFault(
      "bundle-wrong-platform",
      `is for ${versionJson.platform}, and this is ${request.platform}`,
    );
  }
  await writer.sync();
  return ok(versionJson);
}

async function discard(disk: Disk, into: string, writer: TreeWriter): Promise<void> {
  await writer.settle();
  await disk.rm(into);
}

/** A file's bytes from its beginning, each chunk in a buffer of its own. */
export async function* fileChunks(
  disk: Disk,
  path: string,
  chunkBytes = 1024 * 1024,
): AsyncGenerator<Uint8Array> {
  const file = await disk.open(path, "read");
  try {
    for (let at = 0; ; ) {
      const chunk = Buffer.allocUnsafeSlow(chunkBytes);
      const read = await file.read(chunk, at);
      if (read === 0) return;
      at += read;
      yield chunk.subarray(0, read);
    }
  } finally {
    await file.close();
  }
}
