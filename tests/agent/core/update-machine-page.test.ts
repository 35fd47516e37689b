import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { TABLE } from "../../../agent/core/machine/table.ts";

const PAGE = join(import.meta.dirname, "../../../docs/update-machine.md");
const page = readFileSync(PAGE, "utf8");

/** What `recover` may begin with; tests/agent/core/recover.test.ts sees to that. */
const BEGINNINGS = ["idle", "resuming", "probation", "confirming", "going-back"];

/** Mermaid takes no hyphen in a state's id. */
const drawn = [...page.matchAll(/^ {2}(\S+) --> (\S+?)(?::|$)/gm)].map(([, from, to]) =>
  `${from} --> ${to}`.replaceAll("_", "-"),
);

/** Arrows of the table, less those that only a stop takes: the page says those in a sentence. */
const arrows = Object.entries(TABLE).flatMap(([from, row]) => {
  const targets = Object.entries(row).flatMap(([event, cell]) =>
    "to" in cell && event !== "stop-requested" ? cell.to.filter((to: string) => to !== from) : [],
  );
  return [...new Set(targets)].map((to) => `${from} --> ${to}`);
});
const stopping = new Set(["resuming --> exiting"]);

describe("the page of the update machine", () => {
  it("draws every arrow of the table, and no other", () => {
    const beginnings = BEGINNINGS.map((state) => `[*] --> ${state}`);
    const expected = [...arrows.filter((arrow) => !stopping.has(arrow)), ...beginnings, "exiting --> [*]"];
    expect(drawn.toSorted()).toEqual(expected.toSorted());
  });

  it("draws no arrow twice", () => {
    expect(new Set(drawn).size).toBe(drawn.length);
  });

  it("lists everything that can happen", () => {
    const rows = Object.entries(TABLE).map(([state, row]) => {
      const entries = Object.entries(row).flatMap(([event, cell]) => {
        if (!("to" in cell)) return [];
        const targets = [...new Set(cell.to)].filter((to) => to !== state);
        return [`\`${event}\` ${targets.length === 0 ? "stays" : `→ ${targets.join(", ")}`}`];
      });
      return `| ${state} | ${entries.length === 0 ? "nothing" : entries.toSorted().join(" · ")} |`;
    });
    const table = ["| state | what does something there |", "|---|---|", ...rows].join("\n");
    const [before = "", rest = ""] = page.split(/(?<=<!-- events: .*-->\n)/);
    const [, after = ""] = rest.split(/(?=<!-- end of events -->)/);
    const written = `${before}${table}\n${after || rest}`;
    if (process.env.REWRITE === "1") writeFileSync(PAGE, written);
    expect(readFileSync(PAGE, "utf8")).toBe(written);
  });

  it("tells the truth about stopping", () => {
    const withoutStop = Object.entries(TABLE)
      .filter(([, row]) => !("to" in row["stop-requested"]))
      .map(([state]) => state);
    expect(withoutStop).toEqual(["swapping", "exiting"]);
  });
});
