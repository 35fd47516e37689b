import type { BundleFaultCode } from "../../protocol/bundle-faults.ts";
import type { BundleLimits } from "../../protocol/bundle-rules.ts";
import { honest, packed, paxLine, type RawEntry } from "./raw-tar.ts";

export type HostileArchive = {
  readonly name: string;
  readonly code: BundleFaultCode;
  readonly archive: Buffer;
  readonly limits?: Partial<BundleLimits>;
};

/** An honest bundle with these entries after it: only they can be why it is refused. */
export const beside = (...entries: RawEntry[]): Buffer => packed([...honest(), ...entries]);

export const dir = (path: string): RawEntry => ({ path, type: "5" });
export const link = (path: string, target: string): RawEntry => ({ path, type: "2", link: target });

/** Entries that may not be in a bundle, in archives that are sound. */
export const HOSTILE_ENTRIES: readonly HostileArchive[] = [
  // Paths
  { name: "an absolute path", code: "bundle-path-absolute", archive: beside({ path: "/etc/cron.d/x" }) },
  { name: "the root itself", code: "bundle-path-absolute", archive: beside(dir("/")) },
  { name: "`..` in front", code: "bundle-path-parent", archive: beside({ path: "../x" }) },
  { name: "`..` inside", code: "bundle-path-parent", archive: beside(dir("a"), { path: "a/../../x" }) },
  {
    name: "`..` by extended header",
    code: "bundle-path-parent",
    archive: beside({ path: "x", pax: paxLine("path", "../x") }),
  },
  { name: "`./` in front", code: "bundle-path-form", archive: beside({ path: "./x" }) },
  { name: "the top as an entry", code: "bundle-path-form", archive: beside(dir("./")) },
  { name: "a doubled slash", code: "bundle-path-form", archive: beside(dir("a"), { path: "a//x" }) },
  { name: "no path", code: "bundle-path-form", archive: beside({ path: "" }) },
  {
    name: "bytes that are not UTF-8",
    code: "bundle-path-encoding",
    archive: beside({ path: Buffer.from([0x61, 0xff, 0xfe]) }),
  },
  {
    name: "an overlong encoding of a slash",
    code: "bundle-path-encoding",
    archive: beside({ path: Buffer.from([0x2e, 0x2e, 0xc0, 0xaf, 0x78]) }),
  },
  { name: "a newline in a name", code: "bundle-path-control", archive: beside({ path: "a\nb" }) },
  {
    name: "an escape sequence in a name",
    code: "bundle-path-control",
    archive: beside({ path: "\u001b[2Ja" }),
  },
  { name: "a C1 control character", code: "bundle-path-control", archive: beside({ path: "a\u009bb" }) },
  { name: "text turned around", code: "bundle-path-control", archive: beside({ path: "a\u202egpj.sh" }) },
  {
    name: "a control character in a target",
    code: "bundle-path-control",
    archive: beside(link("l", "main\u0007.mjs")),
  },
  {
    name: "a path too long",
    code: "bundle-path-length",
    archive: beside({ path: "x", pax: paxLine("path", `${"y".repeat(200)}/${"z".repeat(220)}`) }),
  },
  {
    name: "a name too long",
    code: "bundle-path-length",
    archive: beside({ path: "x", pax: paxLine("path", "y".repeat(256)) }),
  },
  {
    name: "a target too long",
    code: "bundle-path-length",
    archive: beside({ ...link("l", "x"), pax: paxLine("linkpath", "y".repeat(401)) }),
  },
  {
    name: "a path too deep",
    code: "bundle-path-depth",
    archive: beside({ path: "d/".repeat(32).concat("x") }),
  },
  { name: "the agent's own marker", code: "bundle-path-reserved", archive: beside({ path: ".complete" }) },
  { name: "the marker in capitals", code: "bundle-path-reserved", archive: beside(dir(".Complete/")) },
  // Places
  { name: "the same path twice", code: "bundle-duplicate", archive: beside({ path: "a" }, { path: "a" }) },
  { name: "a second version.json", code: "bundle-duplicate", archive: beside({ path: "version.json" }) },
  {
    name: "a file where a directory is",
    code: "bundle-duplicate",
    archive: beside(dir("a/"), { path: "a" }),
  },
  { name: "paths that differ in case", code: "bundle-collision", archive: beside({ path: "Main.mjs" }) },
  {
    name: "paths that differ in composition",
    code: "bundle-collision",
    archive: beside({ path: "\u00e9" }, { path: "e\u0301" }),
  },
  {
    name: "a ligature and its letters",
    code: "bundle-collision",
    archive: beside({ path: "\ufb01le" }, { path: "file" }),
  },
  {
    name: "sharp s in capitals",
    code: "bundle-collision",
    archive: beside({ path: "stra\u00dfe" }, { path: "STRASSE" }),
  },
  {
    name: "a directory in another case",
    code: "bundle-collision",
    archive: beside(dir("a"), { path: "A/x" }),
  },
  { name: "a file without its directory", code: "bundle-orphan", archive: beside({ path: "a/x" }) },
  { name: "a directory after its file", code: "bundle-orphan", archive: beside({ path: "a/x" }, dir("a")) },
  {
    name: "a file beneath a link",
    code: "bundle-beneath-link",
    archive: beside(dir("a"), link("l", "a"), { path: "l/x" }),
  },
  { name: "a file beneath a file", code: "bundle-beneath-link", archive: beside({ path: "main.mjs/x" }) },
  // Kinds
  {
    name: "a link to an absolute path",
    code: "bundle-link-escapes",
    archive: beside(link("l", "/etc/shadow")),
  },
  { name: "a link out of the tree", code: "bundle-link-escapes", archive: beside(link("l", "../x")) },
  {
    name: "a link out of the tree from below",
    code: "bundle-link-escapes",
    archive: beside(dir("a"), link("a/l", "../../x")),
  },
  {
    name: "a link that goes up after going down",
    code: "bundle-link-escapes",
    archive: beside(dir("a"), dir("a/b"), link("a/b/l", "../../a"), link("m", "a/b/l/../../x")),
  },
  {
    name: "a link to the top, to go up from",
    code: "bundle-link-escapes",
    archive: beside(dir("a"), link("a/up", "..")),
  },
  { name: "a link to nothing", code: "bundle-link-escapes", archive: beside(link("l", "")) },
  {
    name: "a hard link",
    code: "bundle-hard-link",
    archive: beside({ path: "h", type: "1", link: "main.mjs" }),
  },
  {
    name: "a hard link out of the tree",
    code: "bundle-hard-link",
    archive: beside({ path: "h", type: "1", link: "/etc/shadow" }),
  },
  { name: "a character device", code: "bundle-device", archive: beside({ path: "d", type: "3" }) },
  { name: "a block device", code: "bundle-device", archive: beside({ path: "d", type: "4" }) },
  { name: "a FIFO", code: "bundle-fifo", archive: beside({ path: "f", type: "6" }) },
  { name: "a contiguous file", code: "bundle-kind", archive: beside({ path: "c", type: "7" }) },
  { name: "a sparse file", code: "bundle-kind", archive: beside({ path: "s", type: "S" }) },
  {
    name: "GNU's long name",
    code: "bundle-kind",
    archive: beside({ path: "././@LongLink", type: "L", content: "x" }),
  },
  {
    name: "a global extended header",
    code: "bundle-kind",
    archive: beside({ path: "g", type: "g", content: paxLine("comment", "x") }),
  },
  // Modes
  { name: "setuid", code: "bundle-setuid", archive: beside({ path: "s", mode: 0o4755 }) },
  { name: "setgid", code: "bundle-setuid", archive: beside({ path: "s", mode: 0o2755 }) },
  { name: "sticky", code: "bundle-setuid", archive: beside({ ...dir("s"), mode: 0o1755 }) },
  { name: "writable by all", code: "bundle-mode", archive: beside({ path: "w", mode: 0o666 }) },
  {
    name: "a directory that only its owner enters",
    code: "bundle-mode",
    archive: beside({ ...dir("d"), mode: 0o700 }),
  },
  // Sizes
  {
    name: "too many entries",
    code: "bundle-entries",
    archive: beside({ path: "a" }, { path: "b" }),
    limits: { maxEntries: 3 },
  },
  {
    name: "a file too large",
    code: "bundle-file-size",
    archive: beside({ path: "a", content: Buffer.alloc(2000) }),
    limits: { maxFileBytes: 1999 },
  },
  {
    name: "a file that claims to be huge",
    code: "bundle-file-size",
    archive: beside({ path: "a", claims: 0o77777777777 }),
  },
  {
    name: "too much in all",
    code: "bundle-total-size",
    archive: beside({ path: "a", content: Buffer.alloc(900) }, { path: "b", content: Buffer.alloc(900) }),
    limits: { maxTotalBytes: 1800 },
  },
  {
    name: "a bomb",
    code: "bundle-ratio",
    archive: beside({ path: "zeros", content: Buffer.alloc(20 * 1024 ** 2) }),
  },
];
