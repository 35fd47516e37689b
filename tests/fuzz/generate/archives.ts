/** Archives as an attacker makes them: honest entries with anything among them, packed right, wrong and cut off. */
import { zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { honest, paxLine, type RawEntry, rawTar } from "../../protocol/raw-tar.ts";
import { nastyText } from "./nasty.ts";

/** How an entry may be wrong. Each alone is enough to be refused. */
export const EVILS: Readonly<Record<string, fc.Arbitrary<RawEntry>>> = {
  traversal: fc
    .tuple(fc.integer({ min: 1, max: 6 }), fc.constantFrom("escaped", "outside/escaped", "canary"))
    .map(([ups, name]) => ({ path: `${"../".repeat(ups)}${name}`, content: "evil" })),
  "traversal inside": fc.constantFrom("a/../../escaped", "./../escaped", "a/..").map((path) => ({ path })),
  absolute: fc.constantFrom("/tmp/baton-escaped", "//etc/x", "/").map((path) => ({ path, content: "evil" })),
  "link out": fc
    .tuple(
      fc.constantFrom("l", "main.mjs.link"),
      fc.constantFrom("..", "../canary", "/etc/passwd", "", ".", "x/../.."),
    )
    .map(([path, link]) => ({ path, type: "2", link })),
  "hard link": fc
    .constantFrom("main.mjs", "../canary", "/etc/passwd")
    .map((link) => ({ path: "h", type: "1", link })),
  device: fc.constantFrom("3", "4").map((type) => ({ path: "d", type })),
  fifo: fc.constant({ path: "f", type: "6" }),
  "another kind": fc
    .constantFrom("7", "S", "L", "K", "g", "D", "M", "N", "V", "X", "A", "\u00ff")
    .map((type) => ({
      path: "././@LongLink",
      type,
      content: "evil",
    })),
  "a long name": fc
    .integer({ min: 256, max: 2_000 })
    .map((length) => ({ path: "x", pax: paxLine("path", "n".repeat(length)) })),
  "a deep path": fc
    .integer({ min: 33, max: 180 })
    .map((depth) => ({ path: "x", pax: paxLine("path", `${"d/".repeat(depth)}x`) })),
  "a path by extended header": fc
    .constantFrom("../escaped", "/etc/x", "a/../../x")
    .map((path) => ({ path: "innocent", pax: paxLine("path", path) })),
  "a size by extended header": fc
    .nat(10_000)
    .map((size) => ({ path: "innocent", content: "x", pax: paxLine("size", String(size)) })),
  "a torn extended header": fc
    .constantFrom("99 path=x\n", "x", "\u0000", "9 path=\n", "-1 path=a\n")
    .map((pax) => ({
      path: "innocent",
      pax,
    })),
  "a sparse map": fc.constantFrom("GNU.sparse.major", "GNU.sparse.name", "GNU.sparse.map").map((key) => ({
    path: "innocent",
    pax: paxLine(key, "1"),
  })),
  "there twice": fc.constantFrom("main.mjs", "version.json").map((path) => ({ path, content: "evil" })),
  "another case": fc.constantFrom("Main.mjs", "MAIN.MJS", "Version.JSON").map((path) => ({ path })),
  "the same to a file system": fc
    .constantFrom("ma\uff49n.mjs", "main\u200e.mjs", ".complete", ".COMPLETE")
    .map((path) => ({ path })),
  "a control character": fc.constantFrom("\u0001", "\n", "\u001b[2J", "\u202e").map((path) => ({ path })),
  "bytes that are no text": fc.constantFrom([0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80]).map((bytes) => ({
    path: Buffer.from([0x61, ...bytes]),
  })),
  setuid: fc.constantFrom(0o4755, 0o2755, 0o1755, 0o6777, 0o7777).map((mode) => ({ path: "s", mode })),
  "another mode": fc
    .nat(0o777)
    .filter((mode) => mode !== 0o644 && mode !== 0o755)
    .map((mode) => ({ path: "m", mode })),
  "a size that lies": fc
    .integer({ min: 5, max: 2 ** 33 - 1 })
    .map((claims) => ({ path: "b", content: "evil", claims })),
  "a wrong checksum": fc.constant({ path: "c", breakChecksum: true }),
  "without its directory": fc.constant({ path: "nowhere/x" }),
  "below a file": fc.constant({ path: "main.mjs/x" }),
};

export type Made = {
  readonly archive: Buffer;
  /** How it is wrong; null where nothing is known to be. */
  readonly evil: string | null;
};

/** An entry like others, under any name. */
const anybody: fc.Arbitrary<RawEntry> = fc.record({
  path: fc.oneof(nastyText, fc.stringMatching(/^[a-z]{1,8}(\/[a-z]{1,4}){0,3}$/)),
  type: fc.constantFrom("0", "0", "5", "2", "1", "x"),
  mode: fc.constantFrom(0o644, 0o755),
  link: fc.constantFrom("", "main.mjs", "..", "a"),
  content: fc.constantFrom("", "x", "y".repeat(600)),
});

/** A bundle that is whole and right, but for one entry that is wrong in a way that is named. */
export const planted: fc.Arbitrary<Made> = fc.constantFrom(...Object.keys(EVILS)).chain((evil) =>
  fc.tuple(EVILS[evil] ?? fc.constant({ path: "/" }), fc.nat(2)).map(([entry, at]) => {
    const entries = honest();
    // Before what it would collide with there would be no collision yet, but there is one after it.
    entries.splice(evil.startsWith("below") ? entries.length : at, 0, entry);
    return { archive: zstdCompressSync(rawTar(entries)), evil };
  }),
);

/** Any entries, and any damage to the bytes of them, packed or not. */
export const anything: fc.Arbitrary<Made> = fc
  .record({
    entries: fc.array(anybody, { maxLength: 5 }),
    flips: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
    cut: fc.option(fc.nat(), { nil: null }),
    isPackedFirst: fc.boolean(),
  })
  .map(({ entries, flips, cut, isPackedFirst }) => {
    const tar = rawTar([...honest(), ...entries]);
    const bytes = isPackedFirst ? zstdCompressSync(tar) : tar;
    for (const [at, byte] of flips) bytes[at % bytes.length] = byte;
    const left = cut === null ? bytes : bytes.subarray(0, cut % (bytes.length + 1));
    return { archive: isPackedFirst ? left : zstdCompressSync(left), evil: null };
  });
