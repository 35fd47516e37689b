import pc from "picocolors";
import { expect, test } from "vitest";
import { path, query } from "../../cli/api/client.ts";
import { showLine } from "../../cli/commands/follow-job.ts";
import { leaseLine } from "../../cli/show/lease.ts";
import { screen } from "../../cli/show/redraw.ts";
import { table } from "../../cli/show/table.ts";
import { span } from "../../cli/show/time.ts";
import type { LeaseView } from "../../protocol/lease.ts";
import { parseSpan } from "../../protocol/span.ts";

const T = 1_784_031_600_000;

const lease = (holder: string | null, more: Partial<NonNullable<LeaseView["holder"]>> = {}): LeaseView => ({
  group: "db",
  holder:
    holder === null
      ? null
      : {
          token: 7,
          nodeId: `n-${holder.padEnd(12, "0")}`,
          nodeName: holder,
          jobId: "j-000000000000",
          phase: "in-flight",
          since: T - 5000,
          overdue: false,
          ...more,
        },
  broken: [],
  voters: 3,
  quorum: 2,
  spare: 0,
  serving: 2,
});

const HIDE = "\u001b[?25l";
const SHOW = "\u001b[?25h";

test("a screen draws over what it drew, and only when something changed", () => {
  const written: string[] = [];
  const out = {
    write: (text: string) => void written.push(text),
    isTerminal: true,
    columns: 80,
    rows: 24,
    onResize: () => () => undefined,
  };
  const drawn = screen(out);
  drawn.show("a\nb");
  drawn.show("a\nb");
  drawn.show("c");
  expect(written).toHaveLength(2);
  expect(written[0]).not.toContain("\u001b[2A");
  expect(written[1]).toContain("\u001b[2A");
  expect(written[1]).toContain("\u001b[J");
  expect(written.join("")).toContain(HIDE);
  expect(written.join("")).not.toContain(SHOW);
  drawn.end();
  drawn.end();
  expect(written.slice(2)).toEqual([SHOW]);
});

test("a window that became narrower has wrapped what was drawn: all of it is drawn over", () => {
  const written: string[] = [];
  let columns = 80;
  const drawn = screen({
    write: (text) => void written.push(text),
    isTerminal: true,
    get columns() {
      return columns;
    },
    rows: 24,
    onResize: () => () => undefined,
  });
  drawn.show(`${"a".repeat(70)}\nb`);
  columns = 40;
  drawn.show("c");
  expect(written[1]).toContain("\u001b[3A");
});

test("a lease in a line", () => {
  expect(leaseLine(lease(null), T)).toBe("free");
  expect(leaseLine(lease("b"), T)).toBe("b, in-flight for 5 s");
  const broken = [{ token: 6, nodeId: "n-a00000000000", at: T, reason: "lost" }];
  expect(leaseLine({ ...lease(null), broken }, T)).toBe("free (1 broken, still counted as down)");
});

test("a table is as wide as its cells, whatever their colour", () => {
  const red = pc.createColors(true).red("x");
  expect(
    table(
      ["A", "BB"],
      [
        [red, "1"],
        ["long", "2"],
      ],
    ),
  ).toBe(`A     BB\n${red}     1\nlong  2`);
});

test.each([
  [400, "0 s"],
  [90_000, "90 s"],
  [180_000, "3 min"],
  [7_200_000, "2 h"],
  [400_000_000, "5 d"],
])("%d ms is %s", (ms, text) => {
  expect(span(ms)).toBe(text);
});

test.each([
  ["90s", 90_000],
  ["15m", 900_000],
  ["12h", 43_200_000],
  ["30d", 2_592_000_000],
  ["30", null],
  ["1.5h", null],
  ["-3s", null],
  ["", null],
])("%s is %s ms", (text, ms) => {
  expect(parseSpan(text)).toBe(ms);
});

test("addresses are encoded", () => {
  expect(path("v1", "nodes", "a/b ?")).toBe("/v1/nodes/a%2Fb%20%3F");
  expect(query({ group: "a&b", cursor: undefined, limit: 3 })).toBe("?group=a%26b&limit=3");
  expect(query({ cursor: undefined })).toBe("");
});

test("a line of a log moves no cursor and turns no text around, however it was printed", () => {
  const line = {
    index: 0,
    at: 0,
    source: "hook",
    step: null,
    text: "\u001b[2J\u001b]0;own\u0007done\u202Eeneod",
  } as const;
  expect(showLine({ colors: pc.createColors(false) }, line)).not.toMatch(/[^\P{C}\n]/u);
});
