/**
 * A cursor says which list it is of: the key of an entry in one list means something else, or nothing, in another.
 * Lists know nothing of it; their cursors are marked on the way out and read on the way in.
 */
import { CURSOR_INVALID } from "../../protocol/paging.ts";
import { err, ok, type Result } from "../../protocol/result.ts";
import { fingerprint } from "../core/fingerprint.ts";
import type { Refusal } from "../service/coordinator.ts";

/** The query with the list's own cursor in it. Error: `cursor-invalid` for one of another list. */
export function unmarkedCursor<Q>(list: unknown, query: Q): Result<Q, Refusal> {
  const { cursor } = query as { cursor?: string };
  if (cursor === undefined) return ok(query);
  const mark = markOf(list);
  if (!cursor.startsWith(mark)) return err(CURSOR_INVALID);
  return ok({ ...query, cursor: cursor.slice(mark.length) });
}

/** The answer with its `next` marked as one of this list. */
export function markedCursor<A>(list: unknown, answer: A): A {
  const next = (answer as { next?: unknown } | null)?.next;
  return typeof next === "string" ? { ...answer, next: `${markOf(list)}${next}` } : answer;
}

/** The list's own cursor where its entries are numbered and paged by the store; null at the end. */
export const cursorOf = (number: number | null): string | null => (number === null ? null : String(number));

/** The number that `cursorOf` made a cursor of. Error: `cursor-invalid`. */
export function numberOf(cursor: string | undefined): Result<number | undefined, Refusal> {
  if (cursor === undefined) return ok(undefined);
  return /^[1-9]\d{0,14}$/.test(cursor) ? ok(Number(cursor)) : err(CURSOR_INVALID);
}

const markOf = (list: unknown): string => `${fingerprint(list).slice(0, 8)}-`;
