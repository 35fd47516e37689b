import { ok, type Result } from "../../protocol/result.ts";
import { type Static, type TSchema, Type } from "../../protocol/schema.ts";
import { type ApiClient, type ApiFault, path, query } from "./client.ts";

type Query = Readonly<Record<string, string | undefined>>;

/** Every entry of a list, page after page. `key` is the member of the answer that holds them. */
export async function everything<S extends TSchema, K extends string>(
  api: ApiClient,
  parts: readonly string[],
  key: K,
  entry: S,
  filter: Query = {},
): Promise<Result<Static<S>[], ApiFault>> {
  const all: Static<S>[] = [];
  let cursor: string | undefined;
  do {
    const got = await page(api, parts, key, entry, { ...filter, limit: "1000", cursor });
    if (!got.ok) return got;
    all.push(...got.value.entries);
    cursor = got.value.next ?? undefined;
  } while (cursor !== undefined);
  return ok(all);
}

/** One page of a list, and the cursor of the one after it. */
export async function page<S extends TSchema, K extends string>(
  api: ApiClient,
  parts: readonly string[],
  key: K,
  entry: S,
  asked: Query,
): Promise<Result<{ readonly entries: readonly Static<S>[]; readonly next: string | null }, ApiFault>> {
  const answer = Type.Object({ [key]: Type.Array(entry), next: Type.Union([Type.String(), Type.Null()]) });
  const got = await api.call({ path: `${path(...parts)}${query(asked)}`, answer });
  if (!got.ok) return got;
  const { next, ...rest } = got.value as { next: string | null } & Record<string, Static<S>[]>;
  return ok({ entries: rest[key] ?? [], next });
}
