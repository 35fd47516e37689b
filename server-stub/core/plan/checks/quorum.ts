/** Whether each quorum group can spare its nodes, one after the other. Pure. */
import type { Check } from "../../../../protocol/plan.ts";
import { defaultSpare, quorumOf } from "../../../../protocol/quorum.ts";
import type { Draft, QuorumUnit } from "../draft.ts";
import type { PlanNode } from "../world.ts";
import { type Look, names, passed, refused, warned } from "./check.ts";

/** The same arithmetic as the lease's: what passes here is not refused there, if nothing changes meanwhile. */
export const quorumKept: Look = ({ quorum, request, allowed }) => {
  const needsVoters = quorum.filter(({ going }) => going.some((node) => node.voter));
  if (needsVoters.length > 0)
    return needsVoters.map((unit) => checkUnit(unit, request.acceptOutage, allowed));
  const message =
    quorum.length === 0 ? "No quorum group is touched." : "Only nodes without a vote are touched.";
  return [passed("quorum", { message, numbers: { groups: 0 } })];
};

function checkUnit(
  { group, members, going }: QuorumUnit,
  acceptOutage: boolean,
  allowed: Draft["allowed"],
): Check {
  const voters = members.filter((node) => node.voter);
  const quorum = quorumOf(voters.length);
  const spare = group.spare ?? defaultSpare(voters.length);
  const serving = new Set(voters.filter(serves));
  const numbers = {
    voters: voters.length,
    quorum,
    spare,
    serving: serving.size,
    mayBeLost: Math.max(0, serving.size - quorum - spare),
  };
  const arithmetic = `${group.name}: ${voters.length} voters, quorum ${quorum}, spare ${spare}`;
  if (voters.length <= 2) return tooSmall(group.name, numbers, acceptOutage);
  const needed = quorum + spare;
  // Who is ill and named goes first, and is taken to be mended by it before the others go.
  for (const node of going.filter((each) => each.voter)) {
    const others = voters.filter((other) => other !== node && serving.has(other));
    if (others.length < needed) {
      const down = voters.filter((other) => other !== node && !serving.has(other));
      const who = down.length === 0 ? "" : ` (without ${names(down)})`;
      return refused("quorum", "quorum", {
        message: `${arithmetic}: beside ${node.name} ${needed} must serve, and ${others.length} would${who}.`,
        group: group.name,
        nodeId: node.id,
        numbers: { ...numbers, needed, beside: others.length },
      });
    }
    if (allowed.has(node.id)) serving.add(node);
  }
  return passed("quorum", {
    message: `${arithmetic}: ${numbers.serving} serve, and ${numbers.mayBeLost} may be lost at a time.`,
    group: group.name,
    numbers,
  });
}

function tooSmall(
  group: string,
  numbers: Readonly<Record<string, number>> & { readonly voters: number; readonly quorum: number },
  acceptOutage: boolean,
): Check {
  const { voters, quorum } = numbers;
  const many = `${voters} ${voters === 1 ? "voter" : "voters"}`;
  const cannot = `${group} has ${many} and a quorum of ${quorum}: it cannot lose any and keep serving`;
  if (acceptOutage) {
    return warned("quorum", "accept-outage-needed", {
      message: `${cannot}. The outage is accepted.`,
      group,
      numbers,
    });
  }
  return refused("quorum", "accept-outage-needed", {
    message: `${cannot}.`,
    group,
    numbers,
    override: "accept-outage",
  });
}

/** A node in flight, or with a broken lease, does not, whatever it reports. */
const serves = ({ serving, lease }: PlanNode): boolean =>
  serving && lease?.phase !== "in-flight" && lease?.phase !== "broken";
