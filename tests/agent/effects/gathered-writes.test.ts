import { expect, it } from "vitest";
import type { OpenFile } from "../../../agent/effects/disk.ts";
import { GatheredWrites } from "../../../agent/effects/gathered-writes.ts";

const CHUNK = 60_000;

/** Takes a copy of what is written, as a disk does; the write of number `failing` fails. */
function file(failing = 0) {
  const pieces: Buffer[] = [];
  let asked = 0;
  const written: Pick<OpenFile, "write"> = {
    write: async (data) => {
      asked += 1;
      await new Promise(setImmediate);
      if (asked === failing) throw new Error("full");
      pieces.push(Buffer.from(data));
    },
  };
  return { written: written as OpenFile, pieces, asked: () => asked };
}

it("writes every byte in order, in far fewer pieces", async () => {
  const { written, pieces } = file();
  const chunks = Array.from({ length: 100 }, (_, at) => Buffer.alloc(CHUNK + at, at));
  const writes = new GatheredWrites(written);
  for (const chunk of chunks) await writes.add(chunk);
  await writes.end();
  expect(Buffer.concat(pieces).equals(Buffer.concat(chunks))).toBe(true);
  expect(pieces.length).toBeLessThan(15);
  expect(writes.fault).toBeNull();
});

it("takes a chunk that is larger than its pieces", async () => {
  const { written, pieces } = file();
  const chunk = Buffer.from(Array.from({ length: 3_000_000 }, (_, at) => at % 251));
  const writes = new GatheredWrites(written);
  await writes.add(chunk);
  await writes.end();
  expect(Buffer.concat(pieces).equals(chunk)).toBe(true);
});

it("tells of the first write that fails, and writes nothing after it", async () => {
  const { written, pieces, asked } = file(2);
  const writes = new GatheredWrites(written);
  for (let at = 0; at < 60; at += 1) await writes.add(Buffer.alloc(CHUNK, at));
  await writes.end();
  expect(writes.fault?.cause).toMatchObject({ message: "full" });
  expect([asked(), pieces.length]).toEqual([2, 1]);
});
