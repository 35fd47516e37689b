import fc from "fast-check";
import { expect, test } from "vitest";
import { createEventParser } from "../../../server-stub/web/store/event-parser.ts";

const TEXT = [
  "retry: 2000\n: alive\nid: 1-7\n\n",
  'id: 1-8\ndata: {"a":1}\n\n',
  'data: {"b":"ü"}\n\n',
  'event: reset\nid: 1-9\ndata: {"reason":"old"}\n\n',
  ": alive\nid: 1-10\n\n",
].join("");
const EVENTS = [
  { name: "message", data: '{"a":1}' },
  { name: "message", data: '{"b":"ü"}' },
  { name: "reset", data: '{"reason":"old"}' },
];

test("reads the same events however the text is cut", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: TEXT.length })), (cuts) => {
      const parser = createEventParser();
      const ends = [...cuts, TEXT.length].sort((a, b) => a - b);
      const pieces = ends.map((end, at) => TEXT.slice(ends[at - 1] ?? 0, end));
      expect(pieces.flatMap((piece) => parser.push(piece))).toEqual(EVENTS);
      expect(parser.lastId).toBe("1-10");
    }),
  );
});

test("an id counts only when its block is whole", () => {
  const parser = createEventParser();
  parser.push("id: 1-7\n\nid: 1-8\ndata: x\n");
  expect(parser.lastId).toBe("1-7");
  parser.push("\n");
  expect(parser.lastId).toBe("1-8");
});
