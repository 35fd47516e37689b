/** How a rollout looks: who ordered what, a rail of stages with a mark for each node, and how far it is. */
import type { Rollout } from "../../../protocol/rollout.ts";
import { cut, edges, flow, wrapWords } from "../fit.ts";
import { clockTime, span } from "../time.ts";
import { type Colors, nodeMark, paintOf, rolloutState } from "./marks.ts";
import type { RolloutMoment } from "./moment.ts";
import { DENSITIES, type Density, stageLines } from "./stage.ts";
import { aimOf, groupsOf, plural, policyParts } from "./words.ts";

/** What there is room for; `rows` null for a page without an end. */
export type Room = { readonly columns: number; readonly rows: number | null };

/** Lines beyond this are hard to read, however wide the window is. */
const WIDEST = 110;

/** The densest picture that is not needed, and the least dense one that fits. */
export function rolloutPicture(colors: Colors, moment: RolloutMoment, { columns, rows }: Room): string {
  const width = Math.min(columns, WIDEST);
  for (const density of DENSITIES) {
    const lines = pictureOf(colors, moment, width, density);
    if (rows === null || lines.length < rows) return lines.join("\n");
  }
  return pressed(pictureOf(colors, moment, width, "bare"), moment, rows ?? 0).join("\n");
}

/** Where even that is too high: what is above the stage at work goes, and then what is below. */
function pressed(lines: readonly string[], { rollout }: RolloutMoment, rows: number): readonly string[] {
  const tail = lines.slice(-TAIL_LINES);
  const room = Math.max(0, rows - 1 - 1 - tail.length);
  const at = lines.findIndex((line) => line.includes(`stage ${rollout.stage + 1} ·`));
  const from = Math.max(1, Math.min(at, lines.length - tail.length - room));
  return [lines[0] ?? "", ...lines.slice(from, from + room), ...tail].slice(0, Math.max(1, rows - 1));
}

/** The bar, the counts and the reason: what is kept of a picture that is too high. */
const TAIL_LINES = 4;

function pictureOf(
  colors: Colors,
  moment: RolloutMoment,
  columns: number,
  density: Density,
): readonly string[] {
  const { rollout } = moment;
  return [
    ...heading(colors, moment, columns),
    "",
    ...rollout.stages.flatMap((_, index) => stageLines(colors, moment, index, { columns, density })),
    "",
    ...footing(colors, moment, columns),
  ].map((line) => cut(line, columns));
}

function heading(colors: Colors, { rollout, now }: RolloutMoment, columns: number): readonly string[] {
  const since = span((rollout.endedAt ?? now) - rollout.createdAt);
  const title = `${colors.bold(`rollout ${aimOf(rollout)}`)}  ${colors.dim(rollout.id)}`;
  const what = `${plural(rollout.nodes.length, "node")} in ${plural(groupsOf(rollout), "group")}`;
  const began = clockTime(rollout.createdAt).slice(0, 5);
  const when = rollout.endedAt === null ? `since ${began}, for ${since}` : `at ${began}, took ${since}`;
  const who = [what, `by ${rollout.startedBy}`, when];
  const how = [
    ...policyParts(rollout.policy, { stages: rollout.stages.length, groups: groupsOf(rollout) }),
    ...consents(rollout),
  ];
  return [
    edges(title, rolloutState(colors, rollout.status), columns),
    ...[who, how].flatMap((parts) => flow(parts, " · ", columns)).map((line) => colors.dim(line)),
  ];
}

/** What somebody has taken upon themselves. */
const consents = ({ acceptOutage, allowUnhealthy }: Rollout): readonly string[] => [
  ...(acceptOutage ? ["an outage is accepted"] : []),
  ...(allowUnhealthy.length === 0 ? [] : [`${plural(allowUnhealthy.length, "node")} may be unhealthy`]),
];

function footing(colors: Colors, moment: RolloutMoment, columns: number): readonly string[] {
  const { rollout } = moment;
  const counts = flow(countParts(colors, rollout), "  ", columns);
  const why =
    rollout.reason === null
      ? []
      : wrapWords(rollout.reason.message, columns, 3).map(paintOf(colors, rollout.status));
  return [
    bar(colors, rollout, columns),
    ...counts,
    ...flow([...budget(colors, rollout), ...estimate(moment)], " · ", columns),
    ...why,
  ];
}

/** How far it is: a bar whose parts differ in their filling as well as in their colour. */
function bar(colors: Colors, { counts, nodes }: Rollout, columns: number): string {
  const total = Math.max(1, nodes.length);
  const label = ` ${counts.succeeded} of ${nodes.length} updated`;
  const room = Math.max(10, Math.min(60, columns - label.length - 1));
  const parts = [
    [counts.succeeded, "█", colors.green],
    [counts.skipped, "─", colors.dim],
    [counts.failed + counts.rolledBack, "▒", colors.red],
    [counts.updating + counts.preparing, "▓", colors.cyan],
  ] as const;
  let drawn = "";
  let used = 0;
  for (const [count, filling, paint] of parts) {
    // At least one cell for each that there is: one failure among ten thousand has to be seen.
    const cells = count === 0 ? 0 : Math.min(room - used, Math.max(1, Math.floor((room * count) / total)));
    drawn += cells === 0 ? "" : paint(filling.repeat(cells));
    used += cells;
  }
  return cut(`${drawn}${colors.dim("░".repeat(room - used))}${label}`, columns);
}

function countParts(colors: Colors, { counts, endedAt }: Rollout): readonly string[] {
  const all = [
    ["succeeded", counts.succeeded, "updated"],
    ["updating", counts.updating, "updating"],
    ["preparing", counts.preparing, "preparing"],
    ["pending", counts.pending, endedAt === null ? "waiting" : "untouched"],
    ["failed", counts.failed, "failed"],
    ["rolled-back", counts.rolledBack, "rolled back"],
    ["skipped", counts.skipped, "skipped"],
  ] as const;
  return all
    .filter(([, count]) => count > 0)
    .map(([status, count, word]) => `${nodeMark(colors, status)} ${count} ${word}`);
}

/** "failures ✗○○ 1 of 3 allowed". */
function budget(colors: Colors, { budget: { failed, allowed }, endedAt }: Rollout): readonly string[] {
  if (endedAt !== null && failed === 0) return [];
  const words =
    allowed > 0
      ? `failures ${failed} of ${allowed} allowed`
      : failed === 0
        ? "no failure allowed"
        : `${plural(failed, "failure")}, none allowed`;
  const few = allowed > 0 && allowed <= 12;
  const shown = few
    ? `${"✗".repeat(Math.min(failed, allowed))}${"○".repeat(Math.max(0, allowed - failed))} `
    : "";
  const paint = failed > allowed ? colors.red : failed > 0 ? colors.yellow : colors.dim;
  return [paint(`${shown}${words}`)];
}

const estimate = ({ rollout: { estimatedEnd, endedAt }, now }: RolloutMoment): readonly string[] =>
  estimatedEnd === null || endedAt !== null || estimatedEnd < now
    ? []
    : [`about ${span(estimatedEnd - now)} left, until ${clockTime(estimatedEnd).slice(0, 5)}`];
