/**
 * Fetching a bundle into `download/<sha256>.part`, so that it can go on where it was cut off.
 *
 * Invariants:
 * - Never more bytes on disk than were signed, and none that were not counted and hashed on their way.
 * - A `.part` that cannot become the signed file is removed; one that was only cut off stays for the next time.
 * - What was there before is hashed again, never believed: a crash may have left anything in it.
 */
import { createHash, type Hash } from "node:crypto";
import { join } from "node:path";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import type { Disk, OpenFile } from "./disk.ts";
import { readEtag, writeEtag } from "./download-etag.ts";
import { type Answer, type AskFault, ask, unreachable, wrongLength } from "./download-request.ts";
import type { DownloadCode, DownloadRequest } from "./download-terms.ts";
import { hasCode, makeDirDurably } from "./durable.ts";
import { GatheredWrites } from "./gathered-writes.ts";
import { fileChunks } from "./unpack.ts";

export type { DownloadCode, DownloadProgress, DownloadRequest } from "./download-terms.ts";

export type Downloaded = {
  /** The file, whole and verified. The caller removes it when it is unpacked (`removeDownload`). */
  readonly path: string;
  /** Bytes that were there already and did not have to be fetched. */
  readonly resumedFrom: number;
};

type DownloadFault = Fault<DownloadCode>;

const RETRY_FIRST_MS = 500;
const RETRY_LONGEST_MS = 15_000;

/**
 * Fetches until the file is whole and verified, resuming what is there, and trying again while the coordinator
 * cannot be reached and the time lasts. Errors: `DownloadCode`. Rejects for faults of the disk other than a full one.
 */
export async function downloadBundle(request: DownloadRequest): Promise<Result<Downloaded, DownloadFault>> {
  const { disk, dir, timeoutMs, signal: outer, triesInVain = Number.POSITIVE_INFINITY } = request;
  await makeDirDurably(disk, dir, 0o700);
  const limit = AbortSignal.timeout(timeoutMs);
  const signal = outer === undefined ? limit : AbortSignal.any([outer, limit]);
  let resumedFrom: number | null = null;
  let delayMs = RETRY_FIRST_MS;
  let inVain = 0;
  for (;;) {
    const before = await partSize(disk, partPath(request));
    resumedFrom ??= before;
    const tried = await tryOnce(request, signal);
    if (tried.ok) return ok({ path: partPath(request), resumedFrom });
    const { fault, retry } = tried.error;
    if (isAborted(outer)) return err(CANCELLED);
    if (limit.aborted) return err(timedOut(request, fault));
    if (retry === "never") return err(fault);
    if (retry === "afresh") {
      resumedFrom = 0;
      continue;
    }
    const hasGrown = (await partSize(disk, partPath(request))) > before;
    if (hasGrown) delayMs = RETRY_FIRST_MS;
    inVain = hasGrown ? 0 : inVain + 1;
    if (inVain >= triesInVain) return err(fault);
    try {
      await request.wait(delayMs, signal);
    } catch (cause) {
      if (!signal.aborted) throw cause;
      return err(isAborted(outer) ? CANCELLED : timedOut(request, fault));
    }
    delayMs = Math.min(delayMs * 2, RETRY_LONGEST_MS);
  }
}

/** Removes what was downloaded, whole or not. */
export async function removeDownload(disk: Disk, dir: string, sha256: string): Promise<void> {
  await disk.rm(join(dir, `${sha256}.part`));
  await disk.rm(join(dir, `${sha256}.etag`));
}

/** Removes everything in the directory but what belongs to `keep`: what nobody will go on with. */
export async function sweepDownloads(disk: Disk, dir: string, keep: string | null): Promise<void> {
  const names = await disk.readdir(dir).catch((cause: unknown) => {
    if (hasCode(cause, "ENOENT")) return [];
    throw cause;
  });
  for (const name of names) {
    if (keep === null || !name.startsWith(`${keep}.`)) await disk.rm(join(dir, name));
  }
}

async function tryOnce(request: DownloadRequest, signal: AbortSignal): Promise<Result<void, AskFault>> {
  const { disk, dir, sha256, bytes } = request;
  const part = partPath(request);
  const hash = createHash("sha256");
  let have = await partSize(disk, part);
  if (have > bytes) {
    await removeDownload(disk, dir, sha256);
    have = 0;
  }
  if (have > 0) for await (const chunk of fileChunks(disk, part)) hash.update(chunk);
  if (have === bytes) return verify(request, hash, true);
  const answer = await ask(request, have, await readEtag(disk, dir, sha256), signal);
  if (!answer.ok) {
    if (answer.error.retry === "afresh") await removeDownload(disk, dir, sha256);
    return answer;
  }
  const taken = answer.value.resumed
    ? await take(request, answer.value, hash, have)
    : await take(request, answer.value, createHash("sha256"), 0);
  return taken.ok ? verify(request, taken.value, answer.value.resumed && have > 0) : taken;
}

/** Writes what comes behind the first `have` bytes, hashing while the last piece is on its way to the disk. */
async function take(
  request: DownloadRequest,
  answer: Answer,
  hash: Hash,
  have: number,
): Promise<Result<Hash, AskFault>> {
  const { disk, dir, sha256, bytes, url } = request;
  const report = reporter(request, have);
  let file: OpenFile;
  try {
    file = await openPart(request, have, answer.etag);
  } catch (cause) {
    answer.giveUp();
    return onDiskFault(request, { cause });
  }
  let done = have;
  let broken: { cause: unknown } | null = null;
  const written = new GatheredWrites(file);
  try {
    for await (const chunk of answer.body) {
      done += chunk.length;
      if (done > bytes) break;
      hash.update(chunk);
      await written.add(chunk);
      if (written.fault !== null) break;
      report(done);
    }
  } catch (cause) {
    broken = { cause };
  } finally {
    await written.end();
    await file.close();
  }
  if (written.fault !== null) return onDiskFault(request, written.fault);
  if (broken !== null) return err({ fault: unreachable(url, broken.cause), retry: "later" });
  if (done === bytes) return ok(hash);
  await removeDownload(disk, dir, sha256);
  return err({ fault: wrongLength(url, done, bytes), retry: "never" });
}

async function openPart(request: DownloadRequest, have: number, etag: string | null): Promise<OpenFile> {
  const { disk, dir, sha256 } = request;
  const file = await disk.open(partPath(request), "append", 0o600);
  try {
    if (have === 0) await file.truncate(0);
    await writeEtag(disk, dir, sha256, etag);
    return file;
  } catch (cause) {
    await file.close();
    throw cause;
  }
}

async function verify(
  request: DownloadRequest,
  hash: Hash,
  resumed: boolean,
): Promise<Result<void, AskFault>> {
  const { disk, dir, sha256, url } = request;
  const got = hash.digest("hex");
  if (got === sha256) return ok(undefined);
  await removeDownload(disk, dir, sha256);
  const fault: DownloadFault = {
    code: "hash-mismatch",
    message: `${url} has SHA-256 ${got}, and ${sha256} is signed.`,
    hint: "It was removed, and nothing was installed. Check what lies between this node and the coordinator.",
    context: { url, got },
  };
  // What a crash left in the part may be to blame: once more, from the beginning.
  return err({ fault, retry: resumed ? "afresh" : "never" });
}

async function onDiskFault(
  { disk, dir, sha256 }: DownloadRequest,
  { cause }: { cause: unknown },
): Promise<Result<never, AskFault>> {
  if (!hasCode(cause, "ENOSPC") && !hasCode(cause, "EDQUOT")) throw cause;
  await removeDownload(disk, dir, sha256);
  const fault: DownloadFault = {
    code: "disk-full",
    message: "The disk was full before the bundle was fetched; what had been fetched was removed again.",
    hint: "Free some space; the update is tried again.",
    context: { directory: dir },
  };
  return err({ fault, retry: "never" });
}

/** Tells how far it is, four times a second at most. */
function reporter({ bytes, uptime, progress }: DownloadRequest, from: number): (done: number) => void {
  if (progress === undefined) return () => undefined;
  const startedAt = uptime();
  let reportedAt = startedAt;
  return (done) => {
    const now = uptime();
    if (now - reportedAt < 250) return;
    reportedAt = now;
    const bytesPerSecond = Math.round(((done - from) * 1000) / (now - startedAt));
    progress({ bytes: done, ofBytes: bytes, bytesPerSecond });
  };
}

const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;

const partPath = ({ dir, sha256 }: DownloadRequest): string => join(dir, `${sha256}.part`);

async function partSize(disk: Disk, path: string): Promise<number> {
  try {
    return (await disk.lstat(path)).size;
  } catch (cause) {
    if (hasCode(cause, "ENOENT")) return 0;
    throw cause;
  }
}

const CANCELLED: DownloadFault = {
  code: "cancelled",
  message: "The download was cancelled.",
  hint: "What was fetched stays, and the next one goes on from there.",
};

const timedOut = ({ url, timeoutMs }: DownloadRequest, last: DownloadFault): DownloadFault => ({
  code: "timed-out",
  message: `${url} was not fetched within ${timeoutMs} ms. The last try: ${last.message}`,
  hint: "What was fetched stays, and the next update goes on from there.",
  context: { url, timeoutMs },
});
