import type { Selection } from "../../protocol/rollout.ts";

/** Whom a selection means, in a few words. */
export function selected(selection: Selection): string {
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
