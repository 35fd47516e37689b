/**
 * Bundles that were uploaded and wait to be named by signed metadata. A file appears under its hash only when its
 * bytes are exactly those; what is cut off leaves nothing.
 */
import { createHash, randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import type { EpochMs } from "../../protocol/time.ts";
import { MAX_BUNDLE_BYTES } from "../../protocol/trust.ts";
import { type RepositoryFiles, syncDirectory } from "./files.ts";

const DAY_MS = 86_400_000;

/**
 * Takes a bundle in. May be repeated: the same bytes again are read and change nothing. Errors: `upload-mismatch`
 * (the bytes are others than `sha256` names), `too-large`. A stream that fails rejects with its own error.
 */
export async function receiveUpload(
  dir: string,
  sha256: string,
  body: Readable,
  maxBytes = MAX_BUNDLE_BYTES,
): Promise<Result<{ bytes: number }, Fault<"upload-mismatch" | "too-large">>> {
  if (!/^[0-9a-f]{64}$/.test(sha256)) return mismatch(`${sha256.slice(0, 80)} is not a SHA-256 in hex.`);
  const part = join(dir, `.part-${randomUUID()}`);
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    const file = await open(part, "wx", 0o644);
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > maxBytes) {
          return err({
            code: "too-large",
            message: `The upload is larger than the ${maxBytes} bytes that a bundle may have.`,
            hint: "Nothing was kept.",
          });
        }
        hash.update(chunk);
        await file.writeFile(chunk);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    const got = hash.digest("hex");
    if (got !== sha256) return mismatch(`The upload's SHA-256 is ${got}, not ${sha256} as its address says.`);
    await rename(part, join(dir, sha256));
    await syncDirectory(dir);
    return ok({ bytes });
  } finally {
    await rm(part, { force: true });
  }
}

/**
 * Removes what was uploaded more than a day ago and never published; at start also what a crash has cut off, which
 * later may be an upload that is under way. Answers the names.
 */
export async function sweepUploads(
  dir: string,
  now: EpochMs,
  files: RepositoryFiles,
  at: "start" | "later" = "start",
): Promise<string[]> {
  const removed: string[] = [];
  for (const name of await files.list(dir)) {
    const path = join(dir, name);
    const changedAt = await files.changedAt(path);
    const old = changedAt !== null && now - changedAt > DAY_MS;
    if (!old && !(at === "start" && name.startsWith(".part-"))) continue;
    await files.remove(path);
    removed.push(name);
  }
  return removed;
}

const mismatch = (message: string): Result<never, Fault<"upload-mismatch">> =>
  err({ code: "upload-mismatch", message, hint: "Nothing was kept. Upload the file again." });
