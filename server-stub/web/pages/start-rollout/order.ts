/**
 * What is to be ordered, as the address has it: pure. The address is all that the page knows, so that a reload, a way
 * back and a link sent to somebody else show the same.
 */
import type { Group } from "../../../../protocol/group.ts";
import type { Node } from "../../../../protocol/node.ts";
import type { RolloutPolicyChoice, Selection, StartRolloutRequest } from "../../../../protocol/rollout.ts";

export type Order = {
  /** What is asked for; null while nobody is chosen, or something is written wrongly. */
  readonly request: StartRolloutRequest | null;
  readonly selection: Selection;
  /** What is wrong, by the field that says it. */
  readonly wrong: Readonly<Partial<Record<Field, string>>>;
};
export type Field = "labels" | "stages" | "concurrency" | "threshold" | "pause";

/** Keys of the query; each is one field. */
export const KEYS = [
  "release",
  "all",
  "groups",
  "channel",
  "labels",
  "nodes",
  "stages",
  "concurrency",
  "threshold",
  "pause",
  "offline",
  "outage",
  "retry",
  "unhealthy",
] as const;

export const listOf = (text: string | null): readonly string[] =>
  (text ?? "")
    .split(/[\s,]+/)
    .map((each) => each.trim())
    .filter(Boolean);

export function orderOf(query: URLSearchParams): Order {
  const wrong: Partial<Record<Field, string>> = {};
  const selection = selectionOf(query, wrong);
  const policy = policyOf(query, wrong);
  const release = query.get("release");
  const unhealthy = listOf(query.get("unhealthy"));
  const request: StartRolloutRequest = {
    selection,
    ...(release === null ? {} : { release }),
    ...(Object.keys(policy).length === 0 ? {} : { policy }),
    ...(query.get("outage") === "1" ? { acceptOutage: true } : {}),
    ...(query.get("retry") === "1" ? { retry: true } : {}),
    ...(unhealthy.length === 0 ? {} : { allowUnhealthy: [...unhealthy] }),
  };
  const isNobody = Object.keys(selection).length === 0;
  return { request: isNobody || Object.keys(wrong).length > 0 ? null : request, selection, wrong };
}

function selectionOf(query: URLSearchParams, wrong: Partial<Record<Field, string>>): Selection {
  const groups = listOf(query.get("groups"));
  const nodes = listOf(query.get("nodes"));
  const channel = query.get("channel");
  const labels = labelsOf(query.get("labels") ?? "", wrong);
  return {
    ...(query.get("all") === "1" ? { all: true as const } : {}),
    ...(groups.length === 0 ? {} : { groups: [...groups] }),
    ...(nodes.length === 0 ? {} : { nodes: [...nodes] }),
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    ...(channel === null ? {} : { channel }),
  };
}

function labelsOf(text: string, wrong: Partial<Record<Field, string>>): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const each of text.split(",").map((part) => part.trim())) {
    if (each === "") continue;
    const [, name, value] = /^([a-zA-Z0-9._/-]{1,63})=(.*)$/.exec(each) ?? [];
    if (name === undefined || value === undefined) wrong.labels = `${each} is none: write name=value`;
    else labels[name] = value;
  }
  return labels;
}

function policyOf(query: URLSearchParams, wrong: Partial<Record<Field, string>>): RolloutPolicyChoice {
  const number = (field: Field, least: number, most: number): number | null => {
    const text = query.get(field);
    if (text === null) return null;
    const value = Number(text);
    if (Number.isFinite(value) && value >= least && value <= most) return value;
    wrong[field] = `Write a number from ${least} to ${most}`;
    return null;
  };
  const stages = listOf(query.get("stages")).map(Number);
  const rises = stages.every((each, at) => each > (stages[at - 1] ?? 0) && each <= 100);
  if (stages.length > 0 && (!rises || stages.at(-1) !== 100))
    wrong.stages = "Write rising numbers that end with 100, such as 10, 50, 100";
  const concurrency = number("concurrency", 1, 10_000);
  const threshold = number("threshold", 0, 100);
  const pause = query.get("pause") === "ask" ? null : number("pause", 0, 2_592_000);
  return {
    ...(stages.length === 0 ? {} : { stages: stages.map((each) => each / 100) }),
    ...(concurrency === null ? {} : { concurrency: Math.round(concurrency) }),
    ...(threshold === null ? {} : { threshold: threshold / 100 }),
    ...(query.get("pause") === "ask"
      ? { pauseMs: null }
      : pause === null
        ? {}
        : { pauseMs: Math.round(pause * 1_000) }),
    ...(query.get("offline") === "skip" ? { offline: "skip" as const } : {}),
  };
}

/** Whether a node is among the selected, as the coordinator will see it. */
export function isSelected(
  node: Node,
  { all, groups, nodes, labels, channel }: Selection,
  channels: ReadonlyMap<string, Group["channel"]>,
): boolean {
  if (
    all !== true &&
    groups === undefined &&
    nodes === undefined &&
    labels === undefined &&
    channel === undefined
  )
    return false;
  return (
    node.membership === "approved" &&
    node.client === undefined &&
    (groups === undefined || groups.includes(node.group)) &&
    (nodes === undefined || nodes.includes(node.id) || nodes.includes(node.name)) &&
    (channel === undefined || channels.get(node.group) === channel) &&
    Object.entries(labels ?? {}).every(([name, value]) => node.labels[name] === value)
  );
}

export type Candidate = { readonly node: Node; readonly target: string };

/** The selected nodes that are online and run another version than the one that is to be rolled out. */
export function outdatedOf(
  nodes: readonly Node[],
  selection: Selection,
  release: string | null,
  channels: ReadonlyMap<string, Group["channel"]>,
): { readonly online: readonly Candidate[]; readonly offline: number; readonly selected: number } {
  const selected = nodes.filter((node) => isSelected(node, selection, channels));
  const outdated = selected.flatMap((node): Candidate[] => {
    const target = release ?? node.latest;
    if (target === null || node.build === null) return [];
    const isBehind = release === null ? node.outdated : node.build.version !== release;
    return isBehind ? [{ node, target }] : [];
  });
  const online = outdated.filter(({ node }) => node.presence === "online");
  return { online, offline: outdated.length - online.length, selected: selected.length };
}

/** With one more or one less of a list in the query. */
export const toggled = (list: readonly string[], one: string): string =>
  (list.includes(one) ? list.filter((each) => each !== one) : [...list, one]).join(",");
