import { err, type Fault, ok, type Result } from "./result.ts";
import { type Static, Type } from "./schema.ts";

/** How many entries a list answers with, unless asked otherwise, and at most. */
export const PAGE_SIZE = { usual: 100, most: 1000 } as const;

/** Query of every list. `cursor` is the `next` of the page before; it means nothing to anybody else. */
export const pageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: PAGE_SIZE.most })),
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 512 })),
};
export const PageQuery = Type.Object(pageQuery, { additionalProperties: false });
export type PageQuery = Static<typeof PageQuery>;

/**
 * The page of `items` that `query` asks for, in the order of their keys (unique, compared as text), and the cursor
 * of the one after it, null at the end. Entries that come and go between two pages are neither repeated nor make
 * others be left out. Error: `cursor-invalid` for a cursor that is none of ours.
 */
export function pageOf<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  { limit = PAGE_SIZE.usual, cursor }: PageQuery,
): Result<{ items: T[]; next: string | null }, Fault<"cursor-invalid">> {
  const after = cursor === undefined ? "" : decode(cursor);
  if (after === null) {
    return err(CURSOR_INVALID);
  }
  const sorted = items
    .map((item) => ({ key: keyOf(item), item }))
    .filter(({ key }) => key > after)
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const page = sorted.slice(0, limit);
  const last = page.at(-1);
  return ok({
    items: page.map(({ item }) => item),
    next: last === undefined || page.length === sorted.length ? null : encode(last.key),
  });
}

export const CURSOR_INVALID: Fault<"cursor-invalid"> = {
  code: "cursor-invalid",
  message: "The cursor is not one that this list has given.",
  hint: "Leave it out to begin at the first page.",
};

/** A key that sorts the newest first: for lists that begin with what happened last. */
export const newestFirst = (at: number, id: string): string =>
  `${String(Number.MAX_SAFE_INTEGER - at).padStart(16, "0")} ${id}`;

const encode = (key: string): string => `c1${Buffer.from(key).toString("base64url")}`;

function decode(cursor: string): string | null {
  const key = cursor.startsWith("c1") ? Buffer.from(cursor.slice(2), "base64url").toString() : "";
  return key !== "" && encode(key) === cursor ? key : null;
}
