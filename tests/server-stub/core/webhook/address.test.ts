import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { notPublic } from "../../../../server-stub/core/webhook/address.ts";
import { webhookUrl } from "../../../../server-stub/core/webhook/url.ts";

/**
 * The same rules by arithmetic on the bytes, written down a second time from the registries: a network is its first
 * bits. The thing itself works on text, with `net.BlockList`.
 */
const inNetwork = (bytes: readonly number[], network: readonly number[], prefix: number): boolean => {
  const bits = (of: readonly number[]): string =>
    of.map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return bits(bytes).slice(0, prefix) === bits([...network, ...Array(16).fill(0)]).slice(0, prefix);
};
const NOT_PUBLIC_4: readonly (readonly [number[], number])[] = [
  [[0], 8],
  [[10], 8],
  [[100, 64], 10],
  [[127], 8],
  [[168, 63, 129, 16], 32],
  [[169, 254], 16],
  [[172, 16], 12],
  [[192, 0, 0], 24],
  [[192, 0, 2], 24],
  [[192, 88, 99], 24],
  [[192, 168], 16],
  [[198, 18], 15],
  [[198, 51, 100], 24],
  [[203, 0, 113], 24],
  [[224], 3],
];
const isPublic4 = (bytes: readonly number[]): boolean =>
  !NOT_PUBLIC_4.some(([network, prefix]) => inNetwork(bytes, network, prefix));
const isPublic6 = (bytes: readonly number[]): boolean => {
  const mapped = inNetwork(bytes, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255], 96);
  const translated = inNetwork(bytes, [0, 0x64, 0xff, 0x9b], 96);
  if (mapped || translated) return isPublic4(bytes.slice(12));
  const [a = 0, b = 0, c = 0, d = 0] = bytes;
  const givenOut = a >= 0x20 && a <= 0x3f;
  const ietf = a === 0x20 && b === 0x01 && c < 0x02;
  const documents =
    (a === 0x20 && b === 0x01 && c === 0x0d && d === 0xb8) || (a === 0x3f && b === 0xff && c < 0x10);
  const sixToFour = a === 0x20 && b === 0x02;
  return givenOut && !ietf && !documents && !sixToFour;
};

const byte = fc.integer({ min: 0, max: 255 });
const bytesOf = (count: number) => fc.array(byte, { minLength: count, maxLength: count });
/** Mostly near the edges of the networks, where mistakes are. */
const four = fc.oneof(
  bytesOf(4),
  fc
    .tuple(fc.constantFrom(...NOT_PUBLIC_4), bytesOf(4), fc.integer({ min: -1, max: 1 }))
    .map(([[network], rest, by]) => {
      const bytes = [...network, ...rest].slice(0, 4);
      const last = network.length - 1;
      bytes[last] = ((bytes[last] ?? 0) + by) & 255;
      return bytes;
    }),
);
const PREFIXES_6 = [
  [0],
  [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255],
  [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0],
  [0x20, 1, 1],
  [0x20, 1, 2],
  [0x20, 1, 0x0d, 0xb8],
  [0x20, 2],
  [0x3f, 0xff],
  [0xfc],
  [0xfe, 0x80],
  [0xfe, 0xc0],
  [0xff],
  [0x2a],
  [0x1f],
  [0x40],
];
const six = fc
  .tuple(fc.constantFrom([], ...PREFIXES_6), bytesOf(16), four)
  .map(([prefix, rest, end]) => [...[...prefix, ...rest].slice(0, 12), ...end]);

const text4 = (bytes: readonly number[]): string => bytes.join(".");
const words = (bytes: readonly number[]): string[] =>
  Array.from({ length: 8 }, (_, at) => (((bytes[2 * at] ?? 0) << 8) | (bytes[2 * at + 1] ?? 0)).toString(16));
/** In full, as the URL standard writes it, and with the last four bytes as IPv4: three ways to write one address. */
const texts6 = (bytes: readonly number[]): string[] => {
  const full = words(bytes).join(":");
  const short = new URL(`http://[${full}]/`).hostname.slice(1, -1);
  return [
    full,
    short,
    `${words(bytes).slice(0, 6).join(":")}:${text4(bytes.slice(12))}`,
    full.toUpperCase(),
    `${full}%eth0`,
  ];
};

describe("which addresses are public", () => {
  test("is decided as by arithmetic on the bytes: IPv4", () => {
    fc.assert(
      fc.property(four, (bytes) => {
        expect(notPublic(text4(bytes)) === null).toBe(isPublic4(bytes));
      }),
      { numRuns: 3_000 },
    );
  });

  test("is decided as by arithmetic on the bytes, however it is written: IPv6", () => {
    fc.assert(
      fc.property(six, (bytes) => {
        for (const text of texts6(bytes))
          expect([text, notPublic(text) === null]).toEqual([text, isPublic6(bytes)]);
      }),
      { numRuns: 3_000 },
    );
  });

  test.each([
    ["93.184.215.14", null],
    ["2606:2800:21f:cb07:6820:80da:af6b:8b2c", null],
    ["64:ff9b::5db8:d70e", null],
    ["127.0.0.1", "loopback"],
    ["169.254.169.254", "link-local"],
    ["100.100.100.200", "a carrier's own"],
    ["168.63.129.16", "a cloud's metadata"],
    ["fd00:ec2::254", "private"],
    ["::ffff:10.1.2.3", "private"],
    ["::ffff:a01:203", "private"],
    ["::1", "loopback"],
    ["fe80::1%eth0", "link-local"],
    ["64:ff9b::7f00:1", "loopback"],
    ["2002:7f00:1::", "a tunnel's"],
    ["localhost", "no address"],
    ["", "no address"],
  ])("%s is %s", (address, what) => {
    expect(notPublic(address)).toBe(what);
  });
});

describe("the address of a webhook", () => {
  const open = { allowPrivate: true };
  const shut = { allowPrivate: false };
  test.each([
    "https://hooks.example/x?y=z",
    "https://93.184.215.14:8443/",
    "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/",
  ])("%s may be", (url) => {
    expect(webhookUrl(url, shut).ok).toBe(true);
  });
  test.each([
    "nonsense",
    "http://hooks.example/",
    "ftp://hooks.example/",
    "file:///etc/passwd",
    "https://user:word@hooks.example/",
    "https://127.0.0.1/",
    "https://0x7f.1/",
    "https://2130706433/",
    "https://[::1]/",
    "https://[::ffff:192.168.0.1]/",
    "https://169.254.169.254/latest/meta-data",
  ])("%s may not be", (url) => {
    expect(webhookUrl(url, shut)).toMatchObject({ ok: false, error: { code: "webhook-refused" } });
  });
  test("that is private may be where it is allowed, but still has to be one of the web", () => {
    expect(webhookUrl("http://127.0.0.1:1/", open).ok).toBe(true);
    expect(webhookUrl("ftp://127.0.0.1/", open).ok).toBe(false);
  });
});
