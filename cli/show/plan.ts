/** What a rollout would do, as people read it before they start it. */
import type { Check, PlannedNode, RolloutPlan } from "../../protocol/plan.ts";
import type { World } from "../world.ts";
import { edges, flow, wrapWords } from "./fit.ts";
import { plural, policyParts, sharesOf } from "./rollout/words.ts";
import { pad } from "./table.ts";
import { span } from "./time.ts";

type Colors = World["colors"];

const WIDEST = 110;
/** Of nodes that are left out each is told, up to so many. */
const SKIPS = 20;

export function planText(colors: Colors, plan: RolloutPlan, columns: number): string {
  const width = Math.min(columns, WIDEST);
  const groups = new Set(plan.nodes.map(({ group }) => group)).size;
  const aim = plan.kind === "rollback" ? `back from ${plan.release}` : `→ ${plan.release}`;
  const state = plan.startable ? colors.green("may start") : colors.red("may not start");
  const size = `${plural(plan.nodes.length, "node")} in ${plural(groups, "group")}`;
  return [
    edges(`${colors.bold(`plan ${aim}`)}  ${colors.dim(size)}`, state, width),
    ...flow(policyParts(plan.policy, { stages: plan.stages.length, groups }), " · ", width).map((line) =>
      colors.dim(line),
    ),
    "",
    ...checkLines(colors, plan.checks, width),
    "",
    ...plan.stages.flatMap((stage, index) => stageLines(colors, plan, stage, index, width)),
    ...skipLines(colors, plan, width),
    ...wrapWords(estimateOf(plan), width, 3),
    `plan ${colors.dim(plan.hash)}`,
  ].join("\n");
}

const OUTCOMES = { passed: "✓", warned: "!", refused: "✗" } as const;

function checkLines(colors: Colors, checks: readonly Check[], columns: number): readonly string[] {
  const widest = Math.max(0, ...checks.map(({ check }) => check.length));
  return once(checks).flatMap(({ check, outcome, message, numbers, override }) => {
    const paint = { passed: colors.green, warned: colors.yellow, refused: colors.red }[outcome];
    // The sentence of one that passed has the numbers that matter.
    const counted = outcome === "passed" ? [] : Object.entries(numbers).map((pair) => pair.join(" "));
    const details = counted.length === 0 ? "" : ` (${counted.join(", ")})`;
    const way =
      override === null || outcome === "passed"
        ? ""
        : ` Say --${override.replace("offline-skip", "offline skip").replace("unhealthy", "unhealthy NODE")} to go on all the same.`;
    const [first = "", ...rest] = wrapWords(`${message}${details}${way}`, columns - widest - 4, 4);
    return [
      `${paint(OUTCOMES[outcome])} ${pad(check, widest)}  ${first}`,
      ...rest.map((line) => `${" ".repeat(widest + 4)}${line}`),
    ];
  });
}

/** Of many groups that pass alike, the first is told, and how many there are. */
function once(checks: readonly Check[]): readonly Check[] {
  const passed = Map.groupBy(
    checks.filter(({ outcome }) => outcome === "passed"),
    ({ check }) => check,
  );
  return checks.flatMap((each) => {
    const alike = each.outcome === "passed" ? (passed.get(each.check) ?? []) : [each];
    if (alike[0] !== each) return [];
    const more = alike.length - 1;
    return [
      more === 0 ? each : { ...each, message: `${each.message} ${plural(more, "group")} more: as good.` },
    ];
  });
}

function stageLines(
  colors: Colors,
  plan: RolloutPlan,
  { nodes, groups }: RolloutPlan["stages"][number],
  index: number,
  columns: number,
): readonly string[] {
  const members = plan.nodes.filter(({ stage }) => stage === index);
  const last = index === plan.stages.length - 1;
  const rail = last ? " " : colors.dim("│");
  const title = `${colors.bold(`stage ${index + 1} · ${sharesOf(plan.stages)[index]}`)}  ${colors.dim(`${plural(nodes, "node")} in ${plural(groups, "group")}`)}`;
  return [
    `${colors.cyan("◇")}  ${title}`,
    ...inOrder(colors, members, columns - 3).map((line) => `${rail}  ${line}`.trimEnd()),
    last ? "" : rail,
  ];
}

/** A line for each group, its nodes in the order of their turns; a group of its own needs no name. */
function inOrder(colors: Colors, nodes: readonly PlannedNode[], columns: number): readonly string[] {
  const groups = Map.groupBy(nodes, ({ group }) => group);
  const widest = Math.max(0, ...[...groups.keys()].map((group) => group.length));
  return [...groups].flatMap(([group, members]) => {
    const versions = new Set(members.map(stepOf));
    const same = versions.size === 1;
    const names = members.map((node) => {
      const role = node.role === null ? "" : ` (${node.role})`;
      return `${node.name}${role}${same ? "" : ` ${stepOf(node)}`}`;
    });
    const [first = "", ...rest] = wrapWords(
      `${names.join(", ")}${same ? `: ${[...versions].join("")}` : ""}`,
      columns - widest - 2,
      200,
    );
    const indent = " ".repeat(widest + 2);
    return [`${colors.dim(pad(group, widest))}  ${first}`, ...rest.map((line) => `${indent}${line}`)];
  });
}

const stepOf = ({ from, to }: PlannedNode): string => `${from?.version ?? "?"} → ${to?.version ?? "?"}`;

function skipLines(colors: Colors, { skips }: RolloutPlan, columns: number): readonly string[] {
  if (skips.length === 0) return [];
  const shown = skips.slice(0, SKIPS);
  const widest = Math.max(...shown.map(({ name }) => name.length));
  const more = skips.length - shown.length;
  return [
    `${colors.dim("–")}  ${colors.bold("left out")}  ${colors.dim(plural(skips.length, "node"))}`,
    ...shown.flatMap(({ name, reason }) => {
      const [first = "", ...rest] = wrapWords(reason.message, columns - widest - 5, 3);
      return [`   ${pad(name, widest)}  ${first}`, ...rest.map((line) => `${" ".repeat(widest + 5)}${line}`)];
    }),
    ...(more === 0 ? [] : [`   and ${more} more`]),
    "",
  ];
}

function estimateOf({ estimate }: RolloutPlan): string {
  if (estimate === null) return "How long it takes is not known: no job has succeeded lately.";
  const { totalMs, perNodeMs, jobs } = estimate;
  return `It should take about ${span(totalMs)}: ${span(perNodeMs)} a node, by ${plural(jobs, "job")} that succeeded lately.`;
}
