/** Moves bundles from where they were uploaded to where agents fetch them. */
import { join } from "node:path";
import type { TargetsMetadata } from "../../protocol/metadata.ts";
import { ok, type Result } from "../../protocol/result.ts";
import { targetPath } from "../../protocol/trust.ts";
import { bundlesOf, type ReleaseRefused, refused, type SignedBundle } from "./check-targets.ts";
import type { RepositoryFiles } from "./files.ts";

/**
 * Puts every bundle that `targets` names in its place. Length and hash of those that `published` does not name
 * yet, or that are missing, are verified, all of them before the first is moved. What was published and is missing, as a
 * backup without bundles leaves it, may stay missing: it comes back one release at a time. May be repeated after a
 * crash. Error: `release-refused`.
 */
export async function placeBundles(
  files: RepositoryFiles,
  dir: string,
  targets: TargetsMetadata,
  published: TargetsMetadata | null,
): Promise<Result<void, ReleaseRefused>> {
  const known = new Set((published === null ? [] : bundlesOf(published)).map(identity));
  const moves: { from: string; to: string }[] = [];
  for (const bundle of bundlesOf(targets)) {
    const to = join(dir, "targets", targetPath(bundle.name, bundle.sha256));
    const wasPublished = known.has(identity(bundle));
    if (wasPublished && (await files.changedAt(to)) !== null) continue;
    const from = join(dir, "uploads", bundle.sha256);
    const there = await files.hash(to);
    const found = there ?? (await files.hash(from));
    if (found === null && wasPublished) continue;
    if (found === null) return refused(`${bundle.name} was not uploaded.`);
    if (found.bytes !== bundle.bytes || found.sha256 !== bundle.sha256) {
      return refused(
        `${bundle.name} has ${found.bytes} bytes with SHA-256 ${found.sha256}, which is not what is signed.`,
      );
    }
    if (there === null) moves.push({ from, to });
  }
  for (const { from, to } of moves) await files.move(from, to);
  return ok(undefined);
}

const identity = ({ name, bytes, sha256 }: SignedBundle): string => `${sha256} ${bytes} ${name}`;
