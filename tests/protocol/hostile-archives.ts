import { zstdCompressSync } from "node:zlib";
import { type BundleLimits, DEFAULT_BUNDLE_LIMITS } from "../../protocol/bundle-rules.ts";
import { beside, HOSTILE_ENTRIES, type HostileArchive, link } from "./hostile-entries.ts";
import { BLOCK, honest, packed, paxLine, rawTar } from "./raw-tar.ts";

const whole = packed(honest());

/** Every rule of a bundle, broken at least once, and everything that is no archive at all. */
export const HOSTILE_ARCHIVES: readonly HostileArchive[] = [
  ...HOSTILE_ENTRIES,
  // Archives that are none
  { name: "nothing", code: "bundle-corrupt", archive: Buffer.alloc(0) },
  { name: "no archive", code: "bundle-corrupt", archive: Buffer.from("<html>404 Not Found</html>") },
  {
    name: "a packed something else",
    code: "bundle-corrupt",
    archive: zstdCompressSync(Buffer.alloc(2000, "x")),
  },
  { name: "packed bytes cut off", code: "bundle-corrupt", archive: whole.subarray(0, -5) },
  {
    name: "a file cut off",
    code: "bundle-corrupt",
    archive: zstdCompressSync(rawTar(honest(), Buffer.alloc(0)).subarray(0, -100)),
  },
  { name: "no end", code: "bundle-corrupt", archive: packed(honest(), Buffer.alloc(0)) },
  { name: "half an end", code: "bundle-corrupt", archive: packed(honest(), Buffer.alloc(BLOCK)) },
  { name: "a wrong checksum", code: "bundle-corrupt", archive: beside({ path: "a", breakChecksum: true }) },
  {
    name: "something in the padding",
    code: "bundle-corrupt",
    archive: beside({ path: "a", content: "a", padding: Buffer.alloc(511, 1) }),
  },
  {
    name: "a link with content",
    code: "bundle-corrupt",
    archive: beside({ ...link("l", "main.mjs"), content: "x" }),
  },
  {
    name: "an extended header with more than a path",
    code: "bundle-corrupt",
    archive: beside({ path: "a", pax: paxLine("path", "b") + paxLine("size", "9") }),
  },
  {
    name: "an extended header with a wrong length",
    code: "bundle-corrupt",
    archive: beside({ path: "a", pax: "99 path=b\n" }),
  },
  {
    name: "an extended header for nothing",
    code: "bundle-corrupt",
    archive: beside({ path: "p", type: "x", content: paxLine("path", "b") }),
  },
  {
    name: "an extended header too long",
    code: "bundle-corrupt",
    archive: beside({ path: "a", pax: paxLine("path", "b".repeat(1100)) }),
  },
  {
    name: "bytes after the packed ones",
    code: "bundle-trailing",
    archive: Buffer.concat([whole, Buffer.from("trailing")]),
  },
  {
    name: "bytes after the end of the archive",
    code: "bundle-trailing",
    archive: packed(honest(), Buffer.concat([Buffer.alloc(2 * BLOCK), Buffer.from("x")])),
  },
  {
    name: "a second archive behind the first",
    code: "bundle-trailing",
    archive: Buffer.concat([whole, whole]),
  },
  {
    name: "an entry after half an end",
    code: "bundle-trailing",
    archive: packed([...honest()], Buffer.concat([Buffer.alloc(BLOCK), rawTar([{ path: "a" }])])),
  },
  // What it says of itself
  { name: "no version.json", code: "bundle-version-json", archive: packed([{ path: "main.mjs" }]) },
  {
    name: "version.json as a link",
    code: "bundle-version-json",
    archive: packed([{ path: "main.mjs" }, link("version.json", "main.mjs")]),
  },
  {
    name: "version.json that is not JSON",
    code: "bundle-version-json",
    archive: packed([{ path: "version.json", content: "{" }]),
  },
  {
    name: "version.json with an unknown key",
    code: "bundle-version-json",
    archive: packed(honest([], { postinstall: "x" })),
  },
  {
    name: "version.json too large",
    code: "bundle-version-json",
    archive: packed([{ path: "version.json", content: " ".repeat(300_000) }]),
  },
  {
    name: "an entry that is not there",
    code: "bundle-entry-missing",
    archive: packed(honest([], { entry: "other.mjs" })),
  },
  {
    name: "an entry elsewhere",
    code: "bundle-entry-missing",
    archive: packed(honest([], { entry: "../main.mjs" })),
  },
  { name: "one file more than the hash", code: "bundle-hash", archive: beside({ path: "more" }) },
  {
    name: "another mode than the hash",
    code: "bundle-hash",
    archive: packed(honest().map((e) => (e.path === "main.mjs" ? { ...e, mode: 0o755 } : e))),
  },
  {
    name: "another content than the hash",
    code: "bundle-hash",
    archive: packed(honest().map((e) => (e.path === "main.mjs" ? { ...e, content: "evil" } : e))),
  },
];

export const limitsOf = ({ limits }: HostileArchive): BundleLimits => ({
  ...DEFAULT_BUNDLE_LIMITS,
  ...limits,
});
