/** Cursors, ranges, labels and selections: the small words of a request. */
import fc from "fast-check";
import { labelOption } from "../../../cli/commands/leaf.ts";
import { selectionOf } from "../../../cli/commands/rollout/selection-options.ts";
import { pageOf } from "../../../protocol/paging.ts";
import { parseJson } from "../../../protocol/parse.ts";
import { Selection } from "../../../protocol/rollout.ts";
import { markedCursor, numberOf, unmarkedCursor } from "../../../server-stub/api/cursors.ts";
import { byteRange } from "../../../server-stub/api/range.ts";
import { isNobody } from "../../../server-stub/service/selection.ts";
import { nastyText } from "../generate/nasty.ts";
import { decent } from "../says.ts";
import type { Target } from "../target.ts";
import { texts } from "./texts.ts";

const keys = fc.uniqueArray(fc.string({ unit: "binary", minLength: 1, maxLength: 8 }), { maxLength: 12 });
const itself = (key: string): string => key;

export const targets: readonly Target[] = [
  {
    name: "pages follow one another without a gap, whatever the keys are",
    runs: 150,
    property: fc.property(keys, fc.integer({ min: 1, max: 5 }), (items, limit) => {
      // Halves of pairs are no keys that anything here has.
      const whole = items.filter((key) => key.isWellFormed());
      const seen: string[] = [];
      let cursor: string | undefined;
      for (let page = 0; page <= whole.length; page += 1) {
        const read = pageOf(whole, itself, cursor === undefined ? { limit } : { limit, cursor });
        if (!read.ok) throw new Error(read.error.message);
        seen.push(...read.value.items);
        if (read.value.next === null) break;
        cursor = read.value.next;
      }
      const sorted = [...whole].sort((a, b) => (a < b ? -1 : 1));
      if (JSON.stringify(seen) !== JSON.stringify(sorted))
        throw new Error(`${seen.length} of ${whole.length}`);
    }),
  },
  {
    name: "a cursor of nobody's is refused in decent words",
    runs: 150,
    property: fc.property(
      fc.oneof(
        nastyText,
        nastyText.map((text) => `c1${Buffer.from(text).toString("base64url")}`),
      ),
      (cursor) => {
        const read = pageOf(["a", "b"], itself, { cursor });
        decent(read);
        decent(numberOf(cursor));
        const unmarked = unmarkedCursor(["GET /v1/nodes", {}], { cursor });
        if (unmarked.ok) throw new Error("it has no mark of this list");
        const marked = markedCursor(["GET /v1/nodes", {}], { next: cursor });
        const back = unmarkedCursor(["GET /v1/nodes", {}], { cursor: String(marked.next) });
        return back.ok && back.value.cursor === cursor;
      },
    ),
  },
  {
    name: "a range lies within what there is, or is none",
    runs: 200,
    property: fc.property(
      fc.oneof(
        nastyText,
        fc
          .tuple(
            fc.constantFrom("", "0", "5", "99", "999999999999999"),
            fc.constantFrom("", "0", "4", "9", "999999999999999"),
          )
          .map(([from, to]) => `bytes=${from}-${to}`),
      ),
      fc.nat(10),
      (header, size) => {
        const range = byteRange(header, size);
        if (typeof range === "string") return;
        const { start, end } = range;
        if (!(start >= 0 && start <= end && end < size)) throw new Error(`${start} to ${end} of ${size}`);
      },
    ),
  },
  {
    name: "labels on the command line become a selection with these labels, or a word about how to write them",
    runs: 150,
    property: fc.property(fc.array(fc.oneof(nastyText, fc.stringMatching(/^\w{1,5}=\w{0,5}$/))), (words) => {
      let label: Record<string, string> | undefined;
      for (const word of words) {
        try {
          label = labelOption(word, label);
        } catch (cause) {
          const code = cause instanceof Error && "code" in cause ? cause.code : null;
          if (code !== "commander.invalidArgument") throw cause;
        }
      }
      const selection = selectionOf(label === undefined ? {} : { label });
      if ((selection === null) !== (label === undefined)) throw new Error("labels were lost");
      for (const [key, value] of Object.entries(label ?? {})) {
        if (!words.includes(`${key}=${value}`)) throw new Error(`${key} was invented`);
      }
      if (selection !== null) decent(parseJson(Selection, JSON.stringify(selection), "It"));
    }),
  },
  {
    name: "a selection that says nothing selects nobody",
    runs: 100,
    property: fc.property(texts(Selection), (text) => {
      const read = parseJson(Selection, text, "It");
      if (!read.ok) return decent(read);
      const { labels = {}, ...rest } = read.value;
      if (isNobody(read.value) !== (Object.keys({ ...rest, ...labels }).length === 0)) throw new Error(text);
    }),
  },
];
