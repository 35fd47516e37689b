/** The figures of docs/PROOF.md, out of the lists and the written counts that the suites themselves go by. */
import { existsSync, readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { openApiDocument } from "../../server-stub/api/document.ts";
import { CODES } from "../crash-points/fault.ts";
import { MUTATIONS as DISK_MISTAKES } from "../crash-points/mutations.ts";
import { LARGER_WORLDS } from "../exploration/larger-worlds.ts";
import { MUTATIONS as LEASE_MISTAKES } from "../exploration/mutations.ts";
import { httpTargets } from "../fuzz/http/target.ts";
import type { Target } from "../fuzz/target.ts";
import { parserTargets } from "../fuzz/targets/all.ts";
import { toAgent, toCoordinator } from "../fuzz/targets/sockets.ts";
import { MUTATIONS as SCENARIO_MISTAKES } from "../integration/mutations.ts";
import { PROMISED, SCENARIOS } from "../integration/scenarios.ts";
import { TIMES } from "../proof/parts/fuzz.ts";
import { SEEDS } from "../proof/parts/simulation.ts";
import type { Report } from "../proof/report.ts";
import { MANNERS } from "../simulation/builds.ts";
import { MUTATIONS as FLEET_MISTAKES } from "../simulation/mutations.ts";
import { ROOT } from "./pages.ts";

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const count = (number: number): string => number.toLocaleString("en");
const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

type Cell = string | number;
/** All columns but the first are of numbers where the first row has one. */
function table(heading: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const row = (cells: readonly Cell[]) =>
    `| ${cells.map((cell) => (typeof cell === "number" ? count(cell) : cell)).join(" | ")} |`;
  const rule = heading.map((_, at) => (typeof rows[0]?.[at] === "number" ? "--:" : "---"));
  return [row(heading), row(rule), ...rows.map(row)].join("\n");
}

/** `name: 12 states, 34 steps, 5 at rest, …`, as the exploration writes it. */
const worlds = (): [name: string, ...counts: number[]][] =>
  [
    ...read("tests/testdata/exploration/worlds.txt").matchAll(/^(.*): (\d+) states, (\d+) steps, (\d+) at/gm),
  ].map(([, name = "", ...counts]) => [name, ...counts.map(Number)]);

/** `  240 a good update` below `points`, and below `what they are` one line for each kind of point. */
function crashPoints(): { readonly stories: [string, number][]; readonly kinds: number } {
  const texts = ["update", "otherwise"].map((name) => read(`tests/testdata/crash-points/${name}.txt`));
  const [points, kinds] = [/^points\n([\s\S]*?)\n\n/, /^what they are\n([\s\S]*)/m].map((part) =>
    texts.flatMap((text) => (part.exec(text)?.[1] ?? "").trimEnd().split("\n")),
  );
  const stories = (points ?? []).map((line): [string, number] => [
    line.trim().replace(/^\d+ /, ""),
    Number.parseInt(line, 10),
  ]);
  return { stories, kinds: new Set((kinds ?? []).map((line) => line.trim().replace(/^\S+ /, ""))).size };
}

async function fuzzRows(): Promise<[string, number, number, number][]> {
  const unused = () => {
    throw new Error("nothing is tried here");
  };
  const groups: (readonly [string, readonly Target[]])[] = [
    ...parserTargets,
    ["the HTTP API, an operation each", httpTargets(await openApiDocument("1.2.3"), unused)],
    ["WebSockets", [toCoordinator(unused), toAgent]],
  ];
  return groups.map(([about, targets]) => {
    const runs = sum(targets.map(({ runs }) => runs));
    return [about, targets.length, runs, runs * TIMES];
  });
}

const totalOf = (rows: readonly (readonly [string, ...number[]])[]): Cell[] => [
  "together",
  ...(rows[0] ?? []).slice(1).map((_, at) => sum(rows.map((row) => Number(row[at + 1])))),
];

/** Where a run of everything is written down when it was made. */
export const FULL_RUN = "tests/testdata/proof/full-run.json";

/** Why a report is not one of everything; null when it is. */
export function whyNotFull({ shard, failed, parts, commit }: Report, all: readonly string[]): string | null {
  if (shard.of !== 1) return `it is shard ${shard.index} of ${shard.of}`;
  if (failed > 0) return `${failed} failed`;
  const missing = all.filter((name) => !parts.some((part) => part.name === name));
  if (missing.length > 0) return `${missing.join(", ")} did not run`;
  return commit === null || commit.endsWith("+") ? "it is of no commit" : null;
}

async function fullRun(): Promise<string> {
  if (!existsSync(join(ROOT, FULL_RUN))) return "No run in full has been written down yet.";
  const report = JSON.parse(read(FULL_RUN)) as Report;
  const all = (await readdir(join(ROOT, "tests/proof/parts"))).map((name) => name.replace(/\.ts$/, ""));
  const why = whyNotFull(report, all);
  if (why !== null) throw new Error(`${FULL_RUN} is no run in full: ${why}.`);
  const mebibytes = (bytes: number) => Math.ceil(bytes / 1024 ** 2);
  const rows = report.parts.map(({ name, passed, failed, seconds, peakBytes }): [string, ...number[]] => [
    name,
    passed,
    failed,
    seconds,
    mebibytes(peakBytes),
  ]);
  const most = Math.max(...report.parts.map(({ peakBytes }) => mebibytes(peakBytes)));
  const total = [...totalOf(rows).slice(0, -1), most];
  return `The last run in full ended on ${report.endedAt.slice(0, 10)}, of commit \`${report.commit}\`.\n\n${table(
    ["part", "passed", "failed", "seconds", "most MiB at once"],
    [...rows, total],
  )}`;
}

const namesOf = (mistakes: readonly { readonly name: string }[]) => mistakes.map(({ name }) => name);
const planted = (where: string, names: readonly string[]): string =>
  `In ${where}:\n\n${names.map((name) => `- ${name}`).join("\n")}`;

/** Each block of figures by its name. */
export async function figures(): Promise<Readonly<Record<string, string>>> {
  const quick = FLEET_MISTAKES.filter((mistake) => mistake.quick !== undefined).length;
  const [, seeds = ""] = /^const SEEDS = (\d+);/m.exec(read("tests/simulation/simulation.test.ts")) ?? [];
  const regressions = (await readdir(join(ROOT, "tests/simulation/regressions"))).length;
  const { stories, kinds } = crashPoints();
  const topics = [...Map.groupBy(SCENARIOS, ({ topic }) => topic)].map(
    ([topic, { length }]): [string, number] => [topic, length],
  );
  const fuzz = await fuzzRows();
  const attacks = [...read("tests/trust/attacks.test.ts").matchAll(/^ {2}it\("([^:]+): ([^"]*)"/gm)];
  return {
    simulation: table(
      ["", "how many"],
      [
        ["histories in `npm test`", Number(seeds)],
        ["histories in `npm run test:proof`", SEEDS],
        ["ways in which a build behaves", MANNERS.length],
        ["histories that failed once, and are run again each time", regressions],
      ],
    ),
    exploration: table(["world", "states", "steps", "at rest"], [...worlds(), totalOf(worlds())]),
    larger: Object.keys(LARGER_WORLDS)
      .map((name) => `- ${name}`)
      .join("\n"),
    mistakes: table(
      ["suite", "mistakes", "of them looked for in `npm test`"],
      [
        ["`tests/simulation/mutations.ts`", FLEET_MISTAKES.length, quick === 0 ? "-" : quick],
        ["`tests/exploration/mutations.ts`", LEASE_MISTAKES.length, LEASE_MISTAKES.length],
        ["`tests/crash-points/mutations.ts`", DISK_MISTAKES.length, DISK_MISTAKES.length],
        ["`tests/integration/mutations.ts`", SCENARIO_MISTAKES.length, SCENARIO_MISTAKES.length],
      ],
    ),
    planted: [
      planted("a fleet in virtual time", namesOf(FLEET_MISTAKES)),
      planted("the small world", namesOf(LEASE_MISTAKES)),
      planted("a node's disk", namesOf(DISK_MISTAKES.map(({ what: name }) => ({ name })))),
      planted("a fleet's life by name", namesOf(SCENARIO_MISTAKES)),
    ].join("\n\n"),
    "crash-points": `${table(["story", "points"], [...stories, totalOf(stories)])}\n\nThey are of ${count(kinds)} kinds: who does what to which file. At each, a disk may fail with ${CODES.join(", ")}.`,
    integration: `${table(["topic", "scenarios"], [...topics, totalOf(topics)])}\n\n${PROMISED.length} of them were promised by name.`,
    fuzz: table(["about", "targets", "tries in `npm test`", "in the proof"], [...fuzz, totalOf(fuzz)]),
    attacks: attacks.map(([, attack, holds]) => `- **${attack}**: ${holds}`).join("\n"),
    "full-run": await fullRun(),
  };
}
