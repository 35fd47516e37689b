import fc from "fast-check";
import { expect, test } from "vitest";
import { readEvents, type ServerEvent } from "../../../cli/api/events.ts";

async function read(chunks: readonly string[]): Promise<readonly ServerEvent[]> {
  const events: ServerEvent[] = [];
  for await (const event of readEvents(iterate(chunks))) events.push(event);
  return events;
}

async function* iterate(chunks: readonly string[]) {
  yield* chunks;
}

const STREAM = [
  "retry: 2000\n: alive\nid: 1-0\n\n",
  'id: 1-7\ndata: {"a":1}\n\n',
  "event: reset\nid: 1-9\ndata: first\ndata:second\n\n",
  "data:  padded\r\n\r\n",
  "data\n\n",
  "nonsense: x\n: a comment\n\n",
  "data: never ended",
].join("");

const EVENTS: readonly ServerEvent[] = [
  { event: "message", id: "1-7", data: '{"a":1}' },
  { event: "reset", id: "1-9", data: "first\nsecond" },
  { event: "message", id: "1-9", data: " padded" },
  { event: "message", id: "1-9", data: "" },
];

test("events end with an empty line; fields, comments and what is not known are told apart", async () => {
  expect(await read([STREAM])).toEqual(EVENTS);
});

test("however the text is cut into pieces", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.nat(STREAM.length)), async (cuts) => {
      const at = [0, ...[...cuts].sort((a, b) => a - b), STREAM.length];
      const chunks = at.slice(1).map((end, index) => STREAM.slice(at[index], end));
      expect(await read(chunks)).toEqual(EVENTS);
    }),
    { numRuns: 100 },
  );
});
