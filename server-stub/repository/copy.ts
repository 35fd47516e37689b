import { copyFile, link, mkdir, readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Role } from "../../protocol/metadata.ts";
import { targetPath } from "../../protocol/trust.ts";
import { bundlesOf } from "./check-targets.ts";
import type { RepositoryState } from "./state.ts";

/** What a file of metadata may be called. */
const SIGNED = /^(timestamp|[1-9]\d*\.(root|targets|snapshot))\.json$/;

/** See `Repository.copyTo`. */
export async function copyRepository(
  dir: string,
  to: string,
  state: RepositoryState,
  withBundles: boolean,
): Promise<Readonly<Record<Role, number | null>>> {
  await mkdir(join(to, "metadata"), { recursive: true });
  for (const name of await readdir(join(dir, "metadata"))) {
    if (SIGNED.test(name)) await copyFile(join(dir, "metadata", name), join(to, "metadata", name));
  }
  const withdrawn = join(dir, "withdrawn.json");
  if (await isThere(withdrawn)) await copyFile(withdrawn, join(to, "withdrawn.json"));
  if (withBundles && state.targets !== null) {
    for (const { name, sha256 } of bundlesOf(state.targets)) {
      const from = join(dir, "targets", targetPath(name, sha256));
      if (await isThere(from)) await linkOrCopy(from, join(to, "targets", targetPath(name, sha256)));
    }
  }
  const { root, targets, snapshot, timestamp } = state;
  return {
    root: root?.signed.version ?? null,
    targets: targets?.signed.version ?? null,
    snapshot: snapshot?.signed.version ?? null,
    timestamp: timestamp?.signed.version ?? null,
  };
}

/** Links a file, or copies it to where that cannot be. */
export async function linkOrCopy(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  try {
    await link(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EXDEV" && code !== "EPERM" && code !== "EMLINK") throw error;
    await copyFile(from, to);
  }
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return false;
      throw error;
    },
  );
