import { expect, test } from "vitest";
import { byteRange } from "../../../server-stub/api/range.ts";

test.each<[string | undefined, number, unknown]>([
  [undefined, 10, "whole"],
  ["bytes=0-", 10, { start: 0, end: 9 }],
  ["bytes=4-", 10, { start: 4, end: 9 }],
  ["bytes=4-6", 10, { start: 4, end: 6 }],
  ["bytes=4-99", 10, { start: 4, end: 9 }],
  ["bytes=-3", 10, { start: 7, end: 9 }],
  ["bytes=-99", 10, { start: 0, end: 9 }],
  ["bytes=9-9", 10, { start: 9, end: 9 }],
  ["bytes=10-", 10, "unsatisfiable"],
  ["bytes=-0", 10, "unsatisfiable"],
  ["bytes=0-", 0, "unsatisfiable"],
  ["bytes=6-4", 10, "whole"],
  ["bytes=-", 10, "whole"],
  ["bytes=0-1,4-5", 10, "whole"],
  ["lines=0-1", 10, "whole"],
  ["bytes=a-b", 10, "whole"],
  ["bytes=99999999999999999999-", 10, "whole"],
])("Range %s of %d bytes", (header, size, expected) => {
  expect(byteRange(header, size)).toEqual(expected);
});
