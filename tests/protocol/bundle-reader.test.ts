import { randomBytes } from "node:crypto";
import { zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { showName } from "../../protocol/bundle-faults.ts";
import { type BundleSink, NO_SINK, readBundle } from "../../protocol/bundle-reader.ts";
import { DEFAULT_BUNDLE_LIMITS } from "../../protocol/bundle-rules.ts";
import { HOSTILE_ARCHIVES, limitsOf } from "./hostile-archives.ts";
import { honest, packed, paxLine, rawTar } from "./raw-tar.ts";

async function* inPieces(bytes: Buffer, size = bytes.length): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const EVERY_CODE = [
  "path-absolute path-parent path-form path-encoding path-control path-length path-depth path-reserved orphan",
  "beneath-link duplicate collision link-escapes hard-link device fifo kind setuid mode entries file-size total-size",
  "ratio corrupt trailing version-json entry-missing hash",
].flatMap((line) => line.split(" ").map((code) => `bundle-${code}`));

describe("a bundle that breaks a rule", () => {
  it.each(HOSTILE_ARCHIVES)("is refused: $name ($code)", async (hostile) => {
    const read = await readBundle(inPieces(hostile.archive), NO_SINK, limitsOf(hostile));
    expect(read).toMatchObject({ ok: false, error: { code: hostile.code } });
  });

  it("every rule is broken at least once above", () => {
    expect(new Set(HOSTILE_ARCHIVES.map(({ code }) => code))).toEqual(new Set(EVERY_CODE));
  });

  it("is named in the fault by its entry, escaped", async () => {
    const read = await readBundle(inPieces(packed([{ path: "\u001b[31mü\n" }])), NO_SINK);
    expect(read).toMatchObject({
      ok: false,
      error: {
        message: String.raw`The bundle's entry "\u001b[31m\u00fc\n" has a control character in its path.`,
        context: { entry: String.raw`"\u001b[31m\u00fc\n"` },
      },
    });
    expect(showName("x".repeat(1000)).length).toBeLessThan(250);
  });

  it("tells the sink nothing of the entry that is refused, nor of any after it", async () => {
    const told: string[] = [];
    const sink: BundleSink = {
      ...NO_SINK,
      file: (path, mode, bytes) => {
        told.push(path);
        return NO_SINK.file(path, mode, bytes);
      },
    };
    const archive = packed([{ path: "a" }, { path: "../b" }, { path: "c" }]);
    await readBundle(inPieces(archive), sink);
    expect(told).toEqual(["a"]);
  });
});

describe("a bundle that obeys the rules", () => {
  it("is read the same however its bytes come", async () => {
    const archive = packed(
      honest([
        { kind: "directory", path: "ü" },
        { kind: "link", path: "ü/l", target: "../main.mjs" },
      ]).concat(
        { path: "x", type: "5", pax: paxLine("path", "ü/") },
        { path: "x", type: "2", link: "../main.mjs", pax: paxLine("path", "ü/l") },
      ),
    );
    const atOnce = await readBundle(inPieces(archive), NO_SINK);
    expect(atOnce).toMatchObject({
      ok: true,
      value: { versionJson: { version: "1.0.0" }, bytes: expect.any(Number) },
    });
    expect(await readBundle(inPieces(archive, 1), NO_SINK)).toEqual(atOnce);
  });

  it("may be of several compressed frames, which add up to one archive", async () => {
    const tar = rawTar(honest());
    const frames = Buffer.concat([
      zstdCompressSync(tar.subarray(0, 700)),
      zstdCompressSync(tar.subarray(700)),
    ]);
    expect(await readBundle(inPieces(frames), NO_SINK)).toMatchObject({ ok: true });
  });

  it("rejects with the source's own error when the source breaks off", async () => {
    async function* broken(): AsyncGenerator<Buffer> {
      yield packed(honest()).subarray(0, 50);
      throw Object.assign(new Error("input/output error"), { code: "EIO" });
    }
    await expect(readBundle(broken(), NO_SINK)).rejects.toMatchObject({ code: "EIO" });
  });

  it("rejects with the sink's own error, and stops reading", async () => {
    const content = randomBytes(4 * 1024 ** 2);
    let read = 0;
    async function* counted() {
      for await (const piece of inPieces(packed([{ path: "a", content }]), 64 * 1024)) {
        read += piece.length;
        yield piece;
      }
    }
    const sink = {
      ...NO_SINK,
      ready: () => Promise.reject(Object.assign(new Error("full"), { code: "ENOSPC" })),
    };
    await expect(readBundle(counted(), sink)).rejects.toMatchObject({ code: "ENOSPC" });
    expect(read).toBeLessThan(content.length);
  });

  it("may not be refused for a ratio while it is small", async () => {
    const limits = { ...DEFAULT_BUNDLE_LIMITS, maxRatio: 1 };
    expect(await readBundle(inPieces(packed(honest())), NO_SINK, limits)).toMatchObject({ ok: true });
  });
});
