/**
 * Which nodes a table shows, and in which order, by what the address says. Sorting is done once for each change of
 * the nodes, filtering for each key that is pressed: ten thousand nodes are filtered within a few milliseconds.
 */
import type { Node } from "../../../../protocol/node.ts";
import { stateOf } from "./model.ts";

export const SHOWS = ["behind", "failed", "offline", "pending", "busy", "unwell"] as const;
export type Show = (typeof SHOWS)[number];
export const SORTS = ["name", "version", "group", "state", "seen"] as const;
export type Sort = (typeof SORTS)[number];

export type View = {
  readonly text: string;
  readonly show: Show | null;
  readonly group: string | null;
  readonly version: string | null;
  readonly sort: Sort;
  readonly down: boolean;
};

/** What the address says; what it says wrongly is as if it were not said. */
export function viewOf(query: URLSearchParams): View {
  const sort = query.get("sort") ?? "";
  const show = query.get("show");
  return {
    text: query.get("q") ?? "",
    show: SHOWS.find((each) => each === show) ?? null,
    group: query.get("group"),
    version: query.get("version"),
    sort: SORTS.find((each) => each === sort.replace(/^-/, "")) ?? "name",
    down: sort.startsWith("-"),
  };
}

/** The nodes in their order. */
export function sortNodes(nodes: readonly Node[], sort: Sort, down: boolean): readonly Node[] {
  const keyed = nodes.map((node) => ({ node, key: KEYS[sort](node), name: natural(node.name) }));
  const sign = down ? -1 : 1;
  keyed.sort((a, b) => {
    if (a.key !== b.key) return a.key < b.key ? -sign : sign;
    return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
  });
  return keyed.map(({ node }) => node);
}

/** Those of the nodes that the view is of. `failed`: ids of nodes whose last update has failed. */
export function filterNodes(
  nodes: readonly Node[],
  { text, show, group, version }: View,
  failed: ReadonlySet<string>,
): readonly Node[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return nodes.filter(
    (node) =>
      (group === null || node.group === group) &&
      (version === null || (node.build?.version ?? "unknown") === version) &&
      (show === null || SHOWN[show](node, failed)) &&
      words.every((word) => textOf(node).includes(word)),
  );
}

const SHOWN: Readonly<Record<Show, (node: Node, failed: ReadonlySet<string>) => boolean>> = {
  behind: ({ outdated }) => outdated,
  failed: ({ id }, failed) => failed.has(id),
  offline: ({ presence }) => presence === "offline",
  pending: ({ membership }) => membership === "pending",
  busy: (node) => stateOf(node).tone === "busy",
  unwell: (node) => stateOf(node).tone === "warn",
};

const KEYS: Readonly<Record<Sort, (node: Node) => string | number>> = {
  name: ({ name }) => natural(name),
  version: ({ build }) => (build === null ? "" : natural(build.version)),
  group: ({ group }) => natural(group),
  state: (node) => `${TONES.indexOf(stateOf(node).tone)} ${stateOf(node).word}`,
  seen: ({ presence, lastSeenAt }) => (presence === "online" ? Number.MAX_SAFE_INTEGER : (lastSeenAt ?? 0)),
};

/** What needs somebody first. */
const TONES = ["bad", "warn", "busy", "idle", "good"];

/** So that `node-9` comes before `node-10`. Kept: the same names are sorted again with every change. */
function natural(text: string): string {
  const known = naturals.get(text);
  if (known !== undefined) return known;
  const key = text.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(10, "0"));
  if (naturals.size > MOST_NAMES) naturals.clear();
  naturals.set(text, key);
  return key;
}

const naturals = new Map<string, string>();
const MOST_NAMES = 100_000;

const texts = new WeakMap<Node, string>();

/** Everything that a node is searched by. */
function textOf(node: Node): string {
  const known = texts.get(node);
  if (known !== undefined) return known;
  const labels = Object.entries(node.labels).map(([name, value]) => `${name}=${value}`);
  const text = [
    node.name,
    node.id,
    node.group,
    node.build?.version,
    node.address,
    stateOf(node).word,
    ...labels,
  ]
    .join("\n")
    .toLowerCase();
  texts.set(node, text);
  return text;
}
