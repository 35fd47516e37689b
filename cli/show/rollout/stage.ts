/** One stage on the rail: its line, and its nodes in the density that there is room for. */
import type { Rollout, RolloutNode, RolloutStage } from "../../../protocol/rollout.ts";
import { cut, edges, wrapWords } from "../fit.ts";
import { pad } from "../table.ts";
import { span } from "../time.ts";
import { type Colors, hasFailed, isAtWork, nodeMark, paintOf, STAGE_MARKS } from "./marks.ts";
import type { RolloutMoment } from "./moment.ts";
import { nodeNote, plural, sharesOf } from "./words.ts";

/**
 * How much is told of the nodes: a line each; their names in columns, with a line for those at work or failed; a mark
 * each with many or few such lines; marks alone.
 */
export const DENSITIES = ["lines", "names", "marks", "few", "bare"] as const;
export type Density = (typeof DENSITIES)[number];

/** Lines for nodes at work or failed, at most, where not every node has a line. */
const NOTED: Readonly<Record<Exclude<Density, "lines">, number>> = { names: 8, marks: 8, few: 3, bare: 0 };
const INDENT = 3;

export function stageLines(
  colors: Colors,
  moment: RolloutMoment,
  index: number,
  { columns, density }: { columns: number; density: Density },
): readonly string[] {
  const { rollout } = moment;
  const stage = rollout.stages[index];
  if (stage === undefined) return [];
  const nodes = rollout.nodes.filter((node) => node.stage === index);
  const last = index === rollout.stages.length - 1;
  const rail = last ? " " : paintOf(colors, statusOf(rollout, stage))("│");
  const room = columns - INDENT;
  const inside = [
    ...(nodes.length === 0 ? [] : nodeLines(colors, moment, nodes, room, density)),
    ...whyLines(colors, stage, room),
  ];
  return [
    title(colors, moment, stage, index, columns),
    ...inside.map((line) => `${rail}  ${line}`.trimEnd()),
    ...(last ? [] : [rail]),
  ];
}

function title(
  colors: Colors,
  { now, rollout }: RolloutMoment,
  stage: RolloutStage,
  index: number,
  columns: number,
): string {
  const names = sharesOf(rollout.stages).map((share, at) => `stage ${at + 1} · ${share}`);
  const named = (names[index] ?? "").padEnd(Math.max(...names.map((each) => each.length)));
  const name = stage.status === "pending" ? colors.dim(named) : colors.bold(named);
  const mark = paintOf(colors, statusOf(rollout, stage))(STAGE_MARKS[stage.status]);
  const left = `${mark}  ${name}  ${colors.dim(plural(stage.nodes, "node"))}`;
  return edges(left, stateOf(colors, rollout, stage, index, now), columns);
}

/** A stage at work is what its rollout is. */
const statusOf = (rollout: Rollout, { status }: RolloutStage) =>
  status === "running" ? rollout.status : status;

function stateOf(colors: Colors, rollout: Rollout, stage: RolloutStage, index: number, now: number): string {
  const { status, startedAt, endedAt } = stage;
  const paint = paintOf(colors, status);
  if (status === "done") {
    return paint(startedAt === null || endedAt === null ? "done" : `done in ${span(endedAt - startedAt)}`);
  }
  if (status === "pending") {
    if (rollout.endedAt !== null) return paint("not begun");
    const next = index === 0 || rollout.stages[index - 1]?.status === "done";
    if (next && rollout.status === "paused") return paintOf(colors, "paused")("paused");
    return paint(next ? "comes next" : `waits for stage ${index}`);
  }
  if (rollout.status !== "running") return paintOf(colors, rollout.status)(rollout.status);
  return paint(startedAt === null ? "at work" : `at work for ${span(now - startedAt)}`);
}

/** Why the stage is where it is; nothing for one that is done or that waits for the one before, as all do. */
const whyLines = (colors: Colors, { status, reason }: RolloutStage, columns: number): readonly string[] =>
  reason === null || status !== "running"
    ? []
    : wrapWords(reason.message, columns, 2).map((line) => colors.dim(line));

function nodeLines(
  colors: Colors,
  moment: RolloutMoment,
  nodes: readonly RolloutNode[],
  columns: number,
  density: Density,
): readonly string[] {
  if (density === "lines") return notes(colors, moment, nodes, columns);
  const noted = nodes
    .filter(({ status }) => hasFailed(status) || isAtWork(status))
    .sort((a, b) => rank(a) - rank(b));
  const shown = noted.slice(0, NOTED[density]);
  const more = density === "bare" ? 0 : noted.length - shown.length;
  return [
    ...(density === "names" ? names(colors, nodes, columns) : marks(colors, nodes, columns)),
    ...notes(colors, moment, shown, columns),
    ...(more === 0 ? [] : [colors.dim(`and ${more} more at work or failed`)]),
  ];
}

/** Who swaps goes first, then who failed, then who prepares: the order in which a person wants to know. */
const rank = ({ status }: RolloutNode): number =>
  status === "updating" ? 0 : status === "preparing" ? 2 : 1;

function notes(
  colors: Colors,
  moment: RolloutMoment,
  nodes: readonly RolloutNode[],
  columns: number,
): readonly string[] {
  const widest = Math.max(0, ...nodes.map(({ name }) => name.length));
  return nodes.flatMap((node) => {
    const name = node.status === "pending" ? colors.dim(node.name) : node.name;
    const said = nodeNote(colors, node, moment);
    const words = said === "" || hasFailed(node.status) ? [statusWord(colors, node), said] : [said];
    const note = words.filter((each) => each !== "").join(": ");
    const head = `${nodeMark(colors, node.status)} ${pad(name, widest)}`;
    if (!hasFailed(node.status)) return [cut(`${head}  ${note}`.trimEnd(), columns)];
    // Why it failed is what a person came for.
    const [first = "", ...rest] = wrapWords(note, Math.max(20, columns - widest - 4), 2);
    return [`${head}  ${first}`, ...rest.map((line) => `${" ".repeat(widest + 4)}${line}`)];
  });
}

const statusWord = (colors: Colors, { status }: RolloutNode): string =>
  status === "pending" ? "" : paintOf(colors, status)(status.replace("-", " "));

function names(colors: Colors, nodes: readonly RolloutNode[], columns: number): readonly string[] {
  const widest = Math.max(...nodes.map(({ name }) => name.length));
  const across = Math.max(1, Math.floor((columns + 2) / (widest + 4)));
  return chunks(nodes, across).map((row) =>
    cut(
      row
        .map((node) => `${nodeMark(colors, node.status)} ${pad(nameIn(colors, node), widest)}`)
        .join("  ")
        .trimEnd(),
      columns,
    ),
  );
}

const nameIn = (colors: Colors, { status, name }: RolloutNode): string =>
  status === "pending" || status === "skipped" ? colors.dim(name) : name;

/** A mark each. Nodes of a group stand together; those that stand for themselves by tens. */
function marks(colors: Colors, nodes: readonly RolloutNode[], columns: number): readonly string[] {
  const lines: { text: string; cells: number }[] = [{ text: "", cells: 0 }];
  for (const block of blocksOf(nodes)) {
    const text = block.map(({ status }) => nodeMark(colors, status)).join("");
    const line = lines.at(-1);
    if (line !== undefined && (line.cells === 0 || line.cells + 1 + block.length <= columns)) {
      line.text += line.cells === 0 ? text : ` ${text}`;
      line.cells += block.length + (line.cells === 0 ? 0 : 1);
    } else lines.push({ text, cells: block.length });
  }
  return lines.map(({ text }) => cut(text, columns));
}

const BLOCK = 10;

function blocksOf(nodes: readonly RolloutNode[]): readonly (readonly RolloutNode[])[] {
  const sizes = new Map<string, number>();
  for (const { group } of nodes) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  const blocks: RolloutNode[][] = [];
  for (const [index, node] of nodes.entries()) {
    const block = blocks.at(-1);
    const before = nodes[index - 1];
    const together =
      before !== undefined &&
      (before.group === node.group || (sizes.get(before.group) === 1 && sizes.get(node.group) === 1));
    if (block !== undefined && together && block.length < BLOCK) block.push(node);
    else blocks.push([node]);
  }
  return blocks;
}

const chunks = <T>(items: readonly T[], size: number): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
