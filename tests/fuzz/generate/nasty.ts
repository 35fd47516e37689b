/** Values that nobody honest sends, and texts that are nearly what was meant. */
import fc from "fast-check";

/** Texts that have broken parsers before: of this house, and of others. */
const WORDS: readonly string[] = [
  "",
  " ",
  "\u0000",
  "a\u0000b",
  "\u001b[2J",
  "a\r\nset-cookie: x",
  "\ufeff",
  "\ud800",
  "\u202e",
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "null",
  "undefined",
  "NaN",
  "-1",
  "1e999",
  "0x10",
  "..",
  "../../../../etc/passwd",
  "/etc/passwd",
  "%2e%2e%2f",
  "%00",
  "%ff",
  "*",
  "' OR 1=1 --",
  '"; drop table nodes; --',
  "$" + "{7*7}",
  "{{7*7}}",
  "$(id)",
  "`id`",
  "<script>alert(1)</script>",
  "2026-13-45T99:99:99Z",
  "9".repeat(400),
  "a".repeat(3_000),
  "(((((((((((((((((((((a+)+)+)+$",
  "\u{1f4a3}",
  "e\u0301",
  "\ufb01",
];

export const nastyText: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...WORDS) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ maxLength: 80 }) },
);

export const nastyNumber: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(
    0,
    -0,
    -1,
    1,
    0.5,
    1e21,
    -1e300,
    2 ** 31,
    2 ** 32,
    2 ** 53 - 1,
    2 ** 53,
    -(2 ** 53),
    Number.MAX_VALUE,
    Number.MIN_VALUE,
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

/** Stands for a list in a list in a list, which few programs can even write; `toText` writes it. */
const deep = (levels: number): string => `@deep:${levels}@`;

/** The value as JSON. */
export const toText = (value: unknown): string =>
  (JSON.stringify(value) ?? "null").replace(/"@deep:(\d+)@"/g, (_, levels: string) => nested(Number(levels)));

const nested = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);

/** Any value of JSON, the odd ones first. */
export const nastyValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: nastyText },
  { weight: 3, arbitrary: nastyNumber },
  { weight: 3, arbitrary: fc.constantFrom<unknown>(null, true, false, [], {}, [[]], [null], { a: 1 }) },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom(30, 1_000, 20_000).map(deep) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(200, 3_000).map((count) => Array.from({ length: count }, (_, at) => at)),
  },
  {
    weight: 1,
    arbitrary: nastyText.map((key) => Object.defineProperty({}, key, { value: 1, enumerable: true })),
  },
);

/** A JSON text with something done to it that no writer of JSON does. */
export const damaged = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(text, fc.nat(), DAMAGE).map(([whole, at, damage]) => damage(whole, at % (whole.length + 1)));

const DAMAGE: fc.Arbitrary<(text: string, at: number) => string> = fc.oneof(
  fc.constant((text: string, at: number) => text.slice(0, at)),
  fc.constant((text: string, at: number) => text.slice(at)),
  fc.constant((text: string, at: number) => text.slice(0, at) + text.slice(at + 1)),
  nastyText.map((more) => (text: string, at: number) => text.slice(0, at) + more + text.slice(at)),
  fc.constant((text: string) => `\ufeff${text}`),
  fc.constant((text: string) => `${text}${text}`),
  fc.constant((text: string) => text.replace(/:\s*(\d+)/, ": 1e999")),
  fc.constant((text: string) => text.replace(/"(\w+)":/, '"$1":0,"$1":')),
  fc.constantFrom(100, 20_000).map((levels) => (text: string, at: number) => {
    return text.slice(0, at) + nested(levels) + text.slice(at);
  }),
  fc.constant((text: string) => text.replace(/^\{/, '{"__proto__":{"ok":true},')),
);
