/** What changed between two moments of a rollout, for where nothing can be redrawn: for people, and for programs. */
import type { Reason } from "../../../protocol/job.ts";
import type { Rollout, RolloutNode, RolloutStage } from "../../../protocol/rollout.ts";
import { isAtWork } from "./marks.ts";
import { heldBy, jobOf, type RolloutMoment } from "./moment.ts";
import { aimOf, groupsOf, plural, runsNow, sharesOf, whyOf } from "./words.ts";

/** One change; `kind` says of what. What changes all the time, such as percentages, is none. */
export type RolloutChange =
  | {
      readonly kind: "rollout";
      readonly status: Rollout["status"];
      readonly stage: number;
      readonly counts: Rollout["counts"];
      readonly budget: Rollout["budget"];
      readonly reason: Reason | null;
    }
  | {
      readonly kind: "stage";
      readonly stage: number;
      readonly share: number;
      readonly nodes: number;
      readonly status: RolloutStage["status"];
      readonly reason: Reason | null;
    }
  | {
      readonly kind: "node";
      readonly nodeId: string;
      readonly name: string;
      readonly group: string;
      readonly stage: number;
      readonly status: RolloutNode["status"];
      readonly step: string | null;
      /** The phase of the lease that it holds. */
      readonly lease: "reserved" | "in-flight" | null;
      readonly jobId: string | null;
      readonly reason: Reason | null;
    };

/** Each with a line that tells it. Nodes first, then the stages and the rollout that they decide. */
export function rolloutChanges(
  before: RolloutMoment | null,
  after: RolloutMoment,
): readonly { readonly change: RolloutChange; readonly line: string }[] {
  const was = before === null ? new Map<string, string>() : new Map(told(before));
  return tellings(after).filter(({ key, line }) => was.get(key) !== line);
}

/** The first line of what is watched. */
export const rolloutTitle = ({ rollout }: RolloutMoment): string =>
  `rollout ${rollout.id} ${aimOf(rollout)}: ${plural(rollout.nodes.length, "node")} in ${plural(groupsOf(rollout), "group")}, ${plural(rollout.stages.length, "stage")}`;

const told = (moment: RolloutMoment): readonly (readonly [string, string])[] =>
  tellings(moment).map(({ key, line }) => [key, line]);

function tellings(moment: RolloutMoment) {
  const { rollout } = moment;
  return [
    ...rollout.nodes.map((node) => ofNode(node, moment)),
    ...rollout.stages.map((stage, index) => ofStage(stage, index, sharesOf(rollout.stages))),
    ofRollout(rollout),
  ];
}

function ofNode(node: RolloutNode, moment: RolloutMoment) {
  const { nodeId, name, group, stage, status, jobId, reason } = node;
  const step = isAtWork(status) ? (jobOf(moment, node)?.step ?? null) : null;
  const lease = heldBy(moment, node)?.phase ?? null;
  const change: RolloutChange = {
    kind: "node",
    nodeId,
    name,
    group,
    stage,
    status,
    step,
    lease,
    jobId,
    reason,
  };
  const parts = [
    `${name}: ${status}`,
    step === null ? "" : `, ${step}`,
    lease === null ? "" : `, lease ${lease}`,
    runsNow(node),
    reason === null || status === "succeeded" ? "" : `: ${whyOf(node)}`,
  ];
  return { key: nodeId as string, change, line: parts.join("") };
}

function ofStage({ share, nodes, status, reason }: RolloutStage, stage: number, shares: readonly string[]) {
  const change: RolloutChange = { kind: "stage", stage, share, nodes, status, reason };
  const why = reason === null || status !== "running" ? "" : `: ${reason.message}`;
  const words = status === "pending" ? "waits" : status === "running" ? "at work" : "done";
  const line = `stage ${stage + 1} of ${shares.length} (${shares[stage]}, ${plural(nodes, "node")}): ${words}${why}`;
  return { key: `stage ${stage}`, change, line };
}

function ofRollout({ status, stage, counts, budget, reason }: Rollout) {
  const change: RolloutChange = { kind: "rollout", status, stage, counts, budget, reason };
  return { key: "rollout", change, line: `rollout ${status}${reason === null ? "" : `: ${reason.message}`}` };
}
