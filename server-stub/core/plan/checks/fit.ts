/** Whether the release can run on the selected nodes. Pure. */
import type { Check, CheckName } from "../../../../protocol/plan.ts";
import type { Draft } from "../draft.ts";
import { UNFIT, type Unfit } from "../left-out.ts";
import type { PlanNode } from "../world.ts";
import { each, type Look, names, passed, refused, warned } from "./check.ts";

const RESPECTS: readonly (readonly [CheckName, Unfit, string])[] = [
  ["platform", "no-build-for-platform", "There is a bundle for the platform of each."],
  ["engine", "wrong-engine", "The Node of each is one that it can run on."],
  ["protocol", "wrong-protocol", "Each speaks a protocol that it understands."],
  ["floor", "below-floor", "It is not below what any of them may go to."],
];

/**
 * In a quorum group one that does not fit refuses all: the group would be left on two releases. Independent nodes that
 * do not fit are left out, unless that is all of them.
 */
export const fits: Look = (draft) => RESPECTS.flatMap((respect) => look(draft, respect));

function look(draft: Draft, [check, code, fine]: (typeof RESPECTS)[number]): readonly Check[] {
  const { skips, groups, selected } = draft;
  const unfit = skips.filter(({ reason }) => reason.code === code);
  const isQuorum = (name: string) => groups.get(name)?.mode === "quorum";
  const none = skips.filter(({ reason }) => isUnfit(reason.code)).length === selected.length;
  const isBad = ({ node }: { node: PlanNode }) => none || isQuorum(node.group);
  const bad = unfit.filter(isBad);
  const single = unfit.filter((each) => !isBad(each));
  const warning =
    single.length === 0
      ? []
      : [
          warned(check, code, {
            message: `${names(single.map(({ node }) => node))} will be left out: ${single[0]?.reason.message ?? ""}`,
            numbers: { nodes: selected.length, unfit: single.length },
          }),
        ];
  if (bad.length === 0 && warning.length > 0) return warning;
  return [
    ...each(
      bad,
      ({ node, reason }) =>
        refused(check, code, {
          message: `${node.name} of ${node.group}: ${reason.message}`,
          group: node.group,
          nodeId: node.id,
          numbers: { nodes: selected.length, unfit: bad.length },
        }),
      () => passed(check, { message: fine, numbers: { nodes: selected.length, unfit: 0 } }),
    ),
    ...warning,
  ];
}

const isUnfit = (code: string): boolean => UNFIT.some((each) => each === code);
