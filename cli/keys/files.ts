/** Writing in the key directory: all of a file or nothing of it, and on the disk before it counts. */
import { open, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";

/** Replaces `path` or creates it with `mode`: temporary file beside, fsync, rename, fsync of the directory. */
export async function writeDurably(path: string, text: string, mode: number): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.tmp`);
  await rm(temporary, { force: true });
  try {
    const file = await open(temporary, "wx", mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw cause;
  }
  const dir = await open(dirname(path), "r");
  try {
    await dir.sync();
  } finally {
    await dir.close();
  }
}

/** A file that somebody named. Error `no-file` when it cannot be read. */
export async function readNamed(path: string): Promise<Result<string, Fault<"no-file">>> {
  try {
    return ok(await readFile(path, "utf8"));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return err({ code: "no-file", message: `${path} cannot be read: ${why}.`, context: { path } });
  }
}
