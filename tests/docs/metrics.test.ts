import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { METRICS } from "../../server-stub/metrics/catalogue.ts";
import { startCoordinator, type TestCoordinator } from "../server-stub/harness/coordinator.ts";
import { readScrape, type Scraped } from "../server-stub/metrics/scrape.ts";
import { anchorsIn, ROOT } from "./pages.ts";
import { readExpression } from "./promql.ts";

const read = (name: string) => readFile(join(ROOT, "docs", name), "utf8");

/** What Prometheus adds to everything that it scrapes, and tells of the scrape itself. */
const PROMETHEUS = { metrics: ["up"], labels: ["job", "instance", "le"] };
/** Labels whose values are not all there on a coordinator that nobody uses. */
const OPEN = ["route", "method", "status", "version", "role", "job"];

describe("what is said of metrics", () => {
  let coordinator: TestCoordinator;
  let scraped: Scraped;
  beforeAll(async () => {
    coordinator = await startCoordinator("[metrics]\npublic = true", { ofProcess: true });
    await coordinator.call("GET", "/v1/nodes");
    scraped = readScrape(await (await fetch(`${coordinator.url}/metrics`)).text());
  });
  afterAll(() => coordinator.stop());

  /** What is wrong with an expression: metrics, labels and values that the coordinator does not have. */
  const wrong = (text: string): string[] => {
    const { metrics, labels } = readExpression(text);
    const grouped = labels.filter(
      (label) =>
        !PROMETHEUS.labels.includes(label) &&
        !metrics.some(({ name }) => labelsOf(scraped, name).includes(label)),
    );
    const named = metrics.flatMap(({ name, matchers }) => {
      if (PROMETHEUS.metrics.includes(name)) return [];
      if (!isTold(scraped, name)) return [`there is no metric ${name}`];
      return matchers.flatMap(([label, operator, value]) => {
        if (PROMETHEUS.labels.includes(label)) return [];
        if (!labelsOf(scraped, name).includes(label)) return [`${name} has no label ${label}`];
        if (OPEN.includes(label)) return [];
        const values = operator.endsWith("~") ? value.split("|") : [value];
        return values
          .filter((each) => !scraped.series.some((one) => one.name === name && one.labels[label] === each))
          .map((each) => `${name} never has ${label}="${each}"`);
      });
    });
    return [...grouped.map((label) => `nothing is grouped by ${label}`), ...named];
  };

  it("is right in every rule, each with its runbook", async () => {
    const { groups } = parse(await read("prometheus-rules.yml")) as Rules;
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.length).toBeGreaterThan(15);
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    const headings = anchorsIn(await read("OPERATIONS.md"));
    for (const { alert, expr, labels, annotations } of rules) {
      expect({ alert, wrong: wrong(expr) }).toEqual({ alert, wrong: [] });
      expect(["critical", "warning", "info"]).toContain(labels.severity);
      expect(headings).toContain(annotations.runbook.replace("OPERATIONS.md#", ""));
      expect(annotations.summary).toMatch(/[.]$/);
    }
  });

  it("is right in every panel of the dashboard, and none lies on another", async () => {
    const { panels } = JSON.parse(await read("grafana-dashboard.json")) as { panels: Panel[] };
    expect(panels.length).toBeGreaterThan(20);
    for (const { title, targets = [] } of panels)
      for (const { expr } of targets)
        expect({ title, wrong: wrong(expr.replaceAll("$job", "baton")) }).toEqual({ title, wrong: [] });
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)} ${y + Math.floor(at / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(cells.filter((cell) => Number(cell.split(" ")[0]) >= 24)).toEqual([]);
  });

  it("would be noticed if it were wrong", () => {
    expect(wrong("sum(baton_nodez) > 0")).toEqual(["there is no metric baton_nodez"]);
    expect(wrong('baton_leases{phase="held"}')).toEqual(['baton_leases never has phase="held"']);
    expect(wrong('baton_leases{node="a"}')).toEqual(["baton_leases has no label node"]);
    expect(wrong("sum by (node) (baton_leases)")).toEqual(["nothing is grouped by node"]);
    expect(() => wrong("sum(baton_leases")).toThrow("too few");
  });

  it("lists all of them in docs/METRICS.md (REWRITE=1 writes it anew)", async () => {
    const page = await read("METRICS.md");
    const table = [
      "| metric | kind | labels | says |",
      "|---|---|---|---|",
      ...Object.entries(METRICS).map(
        ([name, { kind, help, labels }]) =>
          `| \`${name}\` | ${kind} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${help} |`,
      ),
    ].join("\n");
    const current = page.replace(/(<!-- metrics -->\n)[\s\S]*?(<!-- \/metrics -->)/, `$1\n${table}\n\n$2`);
    if (process.env.REWRITE === "1") await writeFile(join(ROOT, "docs/METRICS.md"), current);
    expect(await read("METRICS.md")).toBe(current);
  });
});

type Rules = {
  groups: {
    rules: {
      alert: string;
      expr: string;
      labels: { severity: string };
      annotations: { summary: string; runbook: string };
    }[];
  }[];
};
type Panel = {
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { expr: string }[];
};

const plain = (name: string): string => name.replace(/_(bucket|sum|count)$/, "");

const isTold = ({ kinds }: Scraped, name: string): boolean =>
  kinds.has(name) || kinds.get(plain(name)) === "histogram";

function labelsOf({ series }: Scraped, name: string): readonly string[] {
  const known = METRICS[plain(name) as keyof typeof METRICS]?.labels as readonly string[] | undefined;
  return known ?? Object.keys(series.find((each) => each.name === name)?.labels ?? {});
}
