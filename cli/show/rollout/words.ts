/** What is said of a rollout and its nodes, in a few words each. */
import { showBuild } from "../../../protocol/build.ts";
import type { Job } from "../../../protocol/job.ts";
import type {
  Rollout,
  RolloutCounts,
  RolloutNode,
  RolloutPolicy,
  RolloutPolicyChoice,
  RolloutSummary,
} from "../../../protocol/rollout.ts";
import { span } from "../time.ts";
import { type Colors, isAtWork } from "./marks.ts";
import { heldBy, jobOf, type RolloutMoment } from "./moment.ts";

/** "1.4.0", or what a rollback takes back. */
export const aimOf = ({ kind, release, rollbackOf }: RolloutSummary): string =>
  kind === "rollback"
    ? `back from ${release}${rollbackOf === null ? "" : ` (${rollbackOf})`}`
    : `→ ${release}`;

export const percent = (share: number): string => `${Math.round(share * 100)} %`;

/** What it is cut into: of one stage, and of one group, there is nothing to say. */
export type Extent = { readonly stages: number; readonly groups: number };

/** How it goes forward and when it stops, a part each. */
export function policyParts(policy: RolloutPolicy, { stages, groups }: Extent): readonly string[] {
  const { stages: shares, pauseMs, concurrency, seed: _, ...rest } = policy;
  return choiceParts({
    ...(stages > 1 ? { stages: shares, pauseMs } : {}),
    ...(groups > 1 ? { concurrency } : {}),
    ...rest,
  });
}

/** The same of a choice: what is absent says nothing, and neither does the usual. */
export function choiceParts(policy: RolloutPolicyChoice): readonly string[] {
  const { stages, concurrency, threshold, pauseMs, offline, onFailure, seed } = policy;
  const parts: string[] = [];
  if (stages !== undefined) parts.push(stagesOf(stages));
  if (concurrency !== undefined) {
    parts.push(concurrency === 1 ? "one group at a time" : `${concurrency} groups at once`);
  }
  if (pauseMs === null) parts.push("between stages it waits for resume");
  else if (pauseMs !== undefined && pauseMs > 0) parts.push(`${span(pauseMs)} between stages`);
  const then = onFailure === "rollback" ? "goes back" : "halts";
  if (threshold === 0) parts.push(`${then} at the first failure`);
  else if (threshold != null && threshold >= 1) parts.push("goes on whatever fails");
  else if (threshold != null) parts.push(`${then} above ${percent(threshold)} failed`);
  else if (onFailure === "rollback") parts.push("goes back when it halts");
  if (offline === "skip") parts.push("leaves out who is offline");
  if (seed !== undefined) parts.push(`seed ${seed}`);
  return parts;
}

const stagesOf = (stages: readonly number[]): string =>
  `stages ${stages.map((share) => Math.round(share * 100)).join("/")} %`;

/** What the node does or why it waits; empty when there is nothing to say. */
export function nodeNote(colors: Colors, node: RolloutNode, moment: RolloutMoment): string {
  const parts: string[] = [];
  const job = jobOf(moment, node);
  if (isAtWork(node.status) && job !== null) parts.push(progressOf(job));
  const held = heldBy(moment, node);
  if (held !== null) {
    const words = `lease ${held.phase.replace("-", " ")} for ${span(moment.now - held.since)}`;
    parts.push(held.overdue ? colors.red(`${words}, overdue`) : colors.yellow(words));
  }
  if (node.status === "succeeded" && node.startedAt !== null && node.endedAt !== null) {
    const [from, to] = [node.from?.version ?? "?", node.to?.version ?? "?"];
    parts.push(colors.dim(`${from} → ${to} in ${span(node.endedAt - node.startedAt)}`));
  }
  if (node.reason !== null && node.status !== "succeeded") {
    parts.push(node.status === "pending" ? colors.dim(whyOf(node)) : whyOf(node));
  }
  return parts.join(" · ");
}

/** Of a node that only waits the first sentence is enough: the rest is the rollout's reason, which is told once. */
export const whyOf = ({ status, reason }: RolloutNode): string => {
  const message = reason?.message ?? "";
  return status === "pending" ? (/^.*?\.(?= |$)/.exec(message)?.[0] ?? message) : message;
};

const progressOf = ({ step, status, percent: done, bytesPerSecond }: Job): string => {
  const rate = bytesPerSecond === null ? "" : ` at ${(bytesPerSecond / 1e6).toFixed(1)} MB/s`;
  return `${step ?? status} ${done} %${rate}`;
};

export const runsNow = (node: RolloutNode): string =>
  node.status === "succeeded" && node.to !== null ? `, runs ${showBuild(node.to)}` : "";

export const groupsOf = ({ nodes }: Rollout): number => new Set(nodes.map(({ group }) => group)).size;

/** How much of the whole is done after each stage: few nodes make other shares than the policy asks for. */
export function sharesOf(stages: readonly { readonly nodes: number }[]): readonly string[] {
  const total = stages.reduce((sum, { nodes }) => sum + nodes, 0);
  let done = 0;
  return stages.map(({ nodes }) => {
    done += nodes;
    return percent(done / Math.max(1, total));
  });
}

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;

export const totalOf = (counts: RolloutCounts): number =>
  Object.values(counts).reduce((sum, each) => sum + each, 0);
