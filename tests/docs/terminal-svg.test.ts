import { describe, expect, it } from "vitest";
import { screenOf, wrapped } from "../../docs/images/terminal-screen.ts";
import { terminalSvg } from "../../docs/images/terminal-svg.ts";

const shown = (capture: string): string[] =>
  screenOf(capture).map((row) => row.map(({ character }) => character).join(""));

describe("the screen of a capture", () => {
  it("is what was written, line by line", () => {
    expect(shown("one\ntwo\n")).toEqual(["one", "two"]);
  });

  it("has lines that were drawn over as they were drawn last", () => {
    expect(shown("a: 1 %\nb: 1 %\n\u001b[2A\r\u001b[2Ka: done\n\r\u001b[2Kb: 50 %\n")).toEqual([
      "a: done",
      "b: 50 %",
    ]);
  });

  it("is broken between words where it is too wide for the picture", () => {
    const broken = (line: string, columns: number) =>
      screenOf(line)
        .flatMap((row) => wrapped(row, columns))
        .map((row) => row.map(({ character }) => character).join(""));
    expect(broken("one two three four", 10)).toEqual(["one two", "  three", "  four"]);
    expect(broken("fits well", 9)).toEqual(["fits well"]);
    expect(broken("abcdefghijkl", 8)).toEqual(["abcdefgh", "  ijkl"]);
  });

  it("drops what was erased below and behind the cursor", () => {
    expect(shown("one\ntwo\nthree\n\u001b[2A\r\u001b[Jnew")).toEqual(["one", "new"]);
    expect(shown("long line\rshort\u001b[K")).toEqual(["short"]);
  });

  it("passes over titles and modes that a terminal would act on", () => {
    expect(shown("\u001b]0;a title\u0007\u001b[?25lseen\u001b[?25h")).toEqual(["seen"]);
  });

  it("keeps colours until they are reset", () => {
    const [row] = screenOf("\u001b[1;32mok\u001b[22m \u001b[39mno\u001b[0m!");
    expect(row?.map(({ style }) => [style.color !== null, style.bold])).toEqual([
      [true, true],
      [true, true],
      [true, false],
      [false, false],
      [false, false],
      [false, false],
    ]);
  });

  it("counts a character outside of the basic plane as one cell", () => {
    expect(screenOf("𝒷x")[0]?.map(({ character }) => character)).toEqual(["𝒷", "x"]);
  });
});

describe("the picture", () => {
  it("escapes what is markup, and names itself for who cannot see it", () => {
    const svg = terminalSvg("a < b & c\n", { title: "<demo>" });
    expect(svg).toContain("a &lt; b &amp; c");
    expect(svg).toContain("<title>&lt;demo&gt;</title>");
  });

  it("places every run by its column, and one that is not ASCII by itself", () => {
    const svg = terminalSvg("ab\u001b[31m● cd\u001b[0m\n", { title: "t" });
    const runs = [...svg.matchAll(/<text x="([\d.]+)"[^>]*>([^<]*)<\/text>/g)].slice(1);
    expect(runs.map(([, x, text]) => [Number(x), text])).toEqual([
      [16, "ab"],
      [32.8, "●"],
      [41.2, " cd"],
    ]);
  });

  it("takes only the lines that were asked for", () => {
    const svg = terminalSvg("first\nsecond\nthird\n", { title: "t", lines: { first: 2, last: 2 } });
    expect(svg).toContain("second");
    expect(svg).not.toContain("first");
    expect(svg).not.toContain("third");
  });
});
