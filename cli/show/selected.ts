import type { RolloutSummary, Selection } from "../../protocol/rollout.ts";

/** What a rollout is of, in a few words. */
export function selected({ selection }: Pick<RolloutSummary, "selection">): string {
  const parts = [
    selection.all === true ? "all" : "",
    listed(selection.groups),
    listed(selection.nodes),
    ...Object.entries(selection.labels ?? {}).map(([label, value]) => `${label}=${value}`),
    selection.channel === undefined ? "" : `channel ${selection.channel}`,
  ];
  return parts.filter((part) => part !== "").join(" ") || "nobody";
}

const listed = (names: Selection["groups"]): string =>
  names === undefined
    ? ""
    : names.length > 3
      ? `${names.slice(0, 2).join(",")} and ${names.length - 2} more`
      : names.join(",");
