import { readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Publisher } from "../../trust/publisher.ts";
import { DAY, NOW, sha256 } from "../../trust/simulator.ts";

const HOUR = 3_600_000;

let publisher: Publisher;
beforeEach(async () => {
  publisher = await Publisher.make();
});
afterEach(() => publisher.remove());

describe("an upload", () => {
  const uploads = () => readdir(join(publisher.dir, "repository", "uploads"));

  it.each([
    [
      "has other bytes than its name says",
      sha256("other"),
      Readable.from([Buffer.from("bytes")]),
      "upload-mismatch",
    ],
    ["has no hash for a name", "../../etc/passwd", Readable.from([Buffer.from("bytes")]), "upload-mismatch"],
    ["is too large", sha256("x"), Readable.from([Buffer.alloc(600), Buffer.alloc(600)]), "too-large"],
  ])("that %s leaves nothing", async (_what, hash, body, code) => {
    const { Repository } = await import("../../../server-stub/repository/repository.ts");
    const dir = join(publisher.dir, "repository");
    const small = await Repository.open({
      dir,
      keysDir: publisher.keysDir,
      now: () => NOW,
      maxBundleBytes: 1000,
    });
    expect(await small.upload(hash, body)).toMatchObject({ error: { code } });
    expect(await uploads()).toEqual([]);
  });

  it("that breaks off leaves nothing", async () => {
    const repository = await publisher.open();
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from("half");
        throw new Error("connection reset");
      })(),
    );
    await expect(repository.upload(sha256("half and half"), broken)).rejects.toThrow("connection reset");
    expect(await uploads()).toEqual([]);
  });

  it("may be repeated, also at the same time, and is swept away when nobody publishes it", async () => {
    const repository = await publisher.open();
    const bytes = Buffer.from("bundle");
    const send = () => repository.upload(sha256(bytes), Readable.from([bytes]));
    expect((await Promise.all([send(), send()])).map(({ ok }) => ok)).toEqual([true, true]);
    expect(await uploads()).toEqual([sha256(bytes)]);
    const file = join(publisher.dir, "repository", "uploads", sha256(bytes));
    await utimes(file, NOW / 1000, NOW / 1000);
    await writeFile(join(publisher.dir, "repository", "uploads", ".part-x"), "cut off by a crash");
    publisher.now = NOW + 2 * HOUR;
    await publisher.open();
    expect(await uploads()).toEqual([sha256(bytes)]);
    publisher.now = NOW + 2 * DAY;
    await publisher.open();
    expect(await uploads()).toEqual([]);
  });
});
