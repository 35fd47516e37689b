import { parseJson } from "../../protocol/parse.ts";
import type { Static, TSchema } from "../../protocol/schema.ts";
import type { Look } from "../core/recover.ts";
import type { Disk } from "./disk.ts";
import { hasCode } from "./durable.ts";

/** Reads a file that may be missing or torn. Rejects only when the disk itself fails. */
export async function lookAtText(disk: Disk, path: string): Promise<Look<string>> {
  try {
    return { kind: "found", value: await disk.readText(path) };
  } catch (cause) {
    if (hasCode(cause, "ENOENT") || hasCode(cause, "ENOTDIR")) return { kind: "missing" };
    if (hasCode(cause, "EISDIR") || hasCode(cause, "ELOOP")) {
      return { kind: "unreadable", why: "it is not a plain file" };
    }
    throw cause;
  }
}

/** `lookAtText`, and then by a schema: what does not match it, an unknown format among it, is unreadable. */
export async function lookAtJson<S extends TSchema>(
  disk: Disk,
  path: string,
  schema: S,
  what: string,
): Promise<Look<Static<S>>> {
  const text = await lookAtText(disk, path);
  if (text.kind !== "found") return text;
  const parsed = parseJson(schema, text.value, what);
  return parsed.ok
    ? { kind: "found", value: parsed.value }
    : { kind: "unreadable", why: parsed.error.message };
}
