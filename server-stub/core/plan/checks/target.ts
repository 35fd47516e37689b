/** Whether there is anything to do, and what is left undone. Pure. */
import type { Check } from "../../../../protocol/plan.ts";
import type { Draft } from "../draft.ts";
import { type Look, names, passed, refused, warned } from "./check.ts";

/** Where all run it already there may still be something to do: to make it what their groups should be on. */
export const somethingToDo: Look = ({ world, selected, skips, request }) => {
  const there = skips.filter(({ reason }) => reason.code === "already-up-to-date").length;
  const numbers = { nodes: selected.length, there };
  const { version } = request.release;
  const run = there === 1 ? "runs" : "run";
  if (there < selected.length) {
    const message = `${there} of ${selected.length} ${run} ${version} already.`;
    return [passed("already-up-to-date", { message, numbers })];
  }
  const all = `${names(selected)} ${run} ${version} already`;
  if (request.ofWholeGroups && world.groups.some(({ wanted }) => wanted !== version)) {
    const message = `${all}: it only becomes what their ${world.groups.length === 1 ? "group" : "groups"} should be on.`;
    return [warned("already-up-to-date", "already-up-to-date", { message, numbers })];
  }
  return [refused("already-up-to-date", "already-up-to-date", { message: `${all}.`, numbers })];
};

/** What the selection comes to: nobody is refused for it. */
export const selectionSound: Look = (draft) => {
  const { selected, skips, ordered } = draft;
  const warnings = [...refusing(draft), ...partial(draft)];
  if (warnings.length > 0) return warnings;
  const groups = new Set(selected.map(({ group }) => group)).size;
  const message = `${count(ordered.nodes.length, "node")} of ${count(groups, "group")} will be brought to it${
    skips.length === 0 ? "" : `, ${skips.length} left out`
  }.`;
  const numbers = { nodes: selected.length, groups, going: ordered.nodes.length, skipped: skips.length };
  return [passed("selection", { message, numbers })];
};

/** Held, or with the release in quarantine: they are left out, unless told to try again. */
function refusing({ skips }: Draft): readonly Check[] {
  const found = skips.filter(({ reason }) => reason.code === "held" || reason.code === "quarantined");
  const nodes = found.map(({ node }) => node);
  if (nodes.length === 0) return [];
  const message = `${names(nodes)} will be left out: held, or with this build in quarantine.`;
  const code = found[0]?.reason.code ?? "held";
  return [warned("selection", code, { message, numbers: { nodes: nodes.length }, override: "retry" })];
}

/** A quorum group of which only a part goes is left on two releases. */
const partial = ({ quorum }: Draft): readonly Check[] =>
  quorum.flatMap(({ group, members }) => {
    const others = members.filter((node) => !node.selected);
    if (others.length === 0) return [];
    const message = `${names(others)} of ${group.name} ${others.length === 1 ? "is" : "are"} not selected: the group is left on two builds.`;
    return [
      warned("selection", "partly-selected", {
        message,
        group: group.name,
        numbers: { members: members.length, selected: members.length - others.length },
      }),
    ];
  });

const count = (many: number, what: string): string => `${many} ${what}${many === 1 ? "" : "s"}`;
