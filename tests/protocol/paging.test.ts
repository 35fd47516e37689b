import { expect, test } from "vitest";
import { newestFirst, pageOf } from "../../protocol/paging.ts";

const letters = "ecbad".split("");
const page = (items: readonly string[], query: { limit?: number; cursor?: string }) => {
  const result = pageOf(items, (item) => item, query);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
};

test("pages follow each other in the order of the keys, and the last has no next", () => {
  const first = page(letters, { limit: 2 });
  expect(first.items).toEqual(["a", "b"]);
  const second = page(letters, { limit: 2, cursor: first.next ?? "" });
  expect(second.items).toEqual(["c", "d"]);
  expect(page(letters, { limit: 2, cursor: second.next ?? "" })).toEqual({ items: ["e"], next: null });
  expect(page(letters, { limit: 5 }).next).toBeNull();
});

test("an entry that goes between two pages makes no other be left out", () => {
  const { next } = page(letters, { limit: 2 });
  expect(page(["a", "c", "d"], { cursor: next ?? "" }).items).toEqual(["c", "d"]);
});

test.each(["", "x", "c1", "c1!!!", "c1YQ=="])("refuses the cursor %j", (cursor) => {
  expect(pageOf(letters, (item) => item, { cursor })).toMatchObject({
    ok: false,
    error: { code: "cursor-invalid" },
  });
});

test("newestFirst sorts what is newer before", () => {
  expect(newestFirst(2000, "a") < newestFirst(1999, "b")).toBe(true);
  expect(newestFirst(2000, "a") < newestFirst(2000, "b")).toBe(true);
});
