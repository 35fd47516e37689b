import { ok, type Result } from "../../protocol/result.ts";
import type { Static, TSchema } from "../../protocol/schema.ts";
import type { ApiClient, ApiFault } from "./client.ts";
import { page } from "./everything.ts";

/** The first `most` entries of a list, however many pages they take. */
export async function newest<S extends TSchema, K extends string>(
  api: ApiClient,
  parts: readonly string[],
  key: K,
  entry: S,
  most: number,
  filter: Readonly<Record<string, string | undefined>> = {},
): Promise<Result<Static<S>[], ApiFault>> {
  const all: Static<S>[] = [];
  let cursor: string | undefined;
  do {
    const limit = Math.min(1000, most - all.length);
    const got = await page(api, parts, key, entry, { ...filter, limit: String(limit), cursor });
    if (!got.ok) return got;
    all.push(...got.value.entries);
    cursor = got.value.next ?? undefined;
  } while (cursor !== undefined && all.length < most);
  return ok(all);
}
