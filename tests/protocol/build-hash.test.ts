import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildHash, hashLine, type TreeEntry } from "../../protocol/build-hash.ts";

const SHA = createHash("sha256").update("x").digest("hex");
const file = (path: string, mode: 0o644 | 0o755 = 0o644): TreeEntry => ({
  kind: "file",
  path,
  mode,
  bytes: 1,
  sha256: SHA,
});

describe("buildHash", () => {
  it("is over the lines of the design, sorted by the bytes of the path", () => {
    const tree: TreeEntry[] = [
      { kind: "link", path: "z", target: "a" },
      // U+FF5E sorts behind U+1F600 by UTF-16 and before it by bytes.
      file("\u{1f600}"),
      file("\uff5e", 0o755),
      { kind: "directory", path: "a" },
      file("a-b"),
      file("a/b"),
      file("version.json"),
    ];
    const lines = [
      '["d","0755",0,"","a"]',
      `["f","0644",1,"${SHA}","a-b"]`,
      `["f","0644",1,"${SHA}","a/b"]`,
      '["l","",0,"a","z"]',
      `["f","0755",1,"${SHA}","\uff5e"]`,
      `["f","0644",1,"${SHA}","\u{1f600}"]`,
    ];
    expect(buildHash(tree)).toBe(
      createHash("sha256")
        .update(lines.map((line) => `${line}\n`).join(""))
        .digest("hex"),
    );
  });

  it("leaves out version.json at the top only", () => {
    expect(buildHash([file("a"), file("version.json")])).toBe(buildHash([file("a")]));
    expect(buildHash([file("a/version.json")])).not.toBe(buildHash([]));
  });

  it("does not depend on the order, and changes with every name, mode, kind, size and content", () => {
    const path = fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 });
    const entry: fc.Arbitrary<TreeEntry> = fc.oneof(
      fc.record({
        kind: fc.constant("file" as const),
        path,
        mode: fc.constantFrom<0o644 | 0o755>(0o644, 0o755),
        bytes: fc.nat(),
        sha256: fc.constantFrom(SHA, SHA.replace("a", "b")),
      }),
      fc.record({ kind: fc.constant("directory" as const), path }),
      fc.record({ kind: fc.constant("link" as const), path, target: path }),
    );
    const tree = fc.uniqueArray(entry, { selector: (e) => e.path, maxLength: 12 });
    fc.assert(
      fc.property(tree, tree, (one, two) => {
        expect(buildHash(one.toReversed())).toBe(buildHash(one));
        const lines = (entries: TreeEntry[]) => entries.map(hashLine).sort();
        expect(buildHash(one) === buildHash(two)).toBe(lines(one).join("") === lines(two).join(""));
      }),
      { numRuns: 200 },
    );
  });
});
