import { ok, type Result } from "../../protocol/result.ts";
import type { Static, TSchema } from "../../protocol/schema.ts";
import { Type } from "../../protocol/schema.ts";
import { type ApiClient, type ApiFault, path, query } from "./client.ts";

/** Every entry of a list, page after page. `key` is the member of the answer that holds them. */
export async function everything<S extends TSchema, K extends string>(
  api: ApiClient,
  parts: readonly string[],
  key: K,
  entry: S,
  filter: Readonly<Record<string, string | undefined>> = {},
): Promise<Result<Static<S>[], ApiFault>> {
  const answer = Type.Object({ [key]: Type.Array(entry), next: Type.Union([Type.String(), Type.Null()]) });
  const all: Static<S>[] = [];
  let cursor: string | undefined;
  do {
    const page = await api.call({
      path: `${path(...parts)}${query({ ...filter, limit: 1000, cursor })}`,
      answer,
    });
    if (!page.ok) return page;
    const { next, ...rest } = page.value as { next: string | null } & Record<string, Static<S>[]>;
    all.push(...(rest[key] ?? []));
    cursor = next ?? undefined;
  } while (cursor !== undefined);
  return ok(all);
}
