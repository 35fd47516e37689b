/** How a rollout looks: a rail with one mark per node, who holds the lease, and why each waits. */
import { showBuild } from "../../protocol/build.ts";
import type { LeaseView } from "../../protocol/lease.ts";
import type { Node } from "../../protocol/node.ts";
import type { Rollout, RolloutNode, RolloutNodeStatus, RolloutStatus } from "../../protocol/rollout.ts";
import type { World } from "../world.ts";
import { selected } from "./selected.ts";
import { facts } from "./table.ts";
import { instant, span } from "./time.ts";

/** A rollout and what surrounds it, at one moment. */
export type RolloutMoment = {
  readonly rollout: Rollout;
  readonly lease: LeaseView | null;
  readonly nodes: readonly Node[];
  readonly now: number;
};

type Colors = World["colors"];
type Paint = (text: string) => string;

const MARKS: Readonly<Record<RolloutNodeStatus, string>> = {
  pending: "○",
  preparing: "◌",
  updating: "◐",
  succeeded: "●",
  failed: "✗",
  "rolled-back": "↩",
  skipped: "–",
};

const paintOf = (colors: Colors, status: RolloutNodeStatus | RolloutStatus): Paint => {
  switch (status) {
    case "succeeded":
    case "completed":
      return colors.green;
    case "failed":
    case "rolled-back":
    case "halted":
      return colors.red;
    case "updating":
    case "preparing":
    case "running":
      return colors.cyan;
    case "pending":
    case "skipped":
    case "paused":
    case "cancelled":
      return colors.dim;
  }
};

/** The whole picture, one line per node. */
export function rolloutPicture(colors: Colors, moment: RolloutMoment): string {
  const { rollout, lease, now } = moment;
  const widest = Math.max(...rollout.nodes.map(({ name }) => name.length), 4);
  const lines = rollout.nodes.map((node, index) => {
    const paint = paintOf(colors, node.status);
    const rail = index === rollout.nodes.length - 1 ? "╰" : "├";
    return `  ${colors.dim(rail)}${paint(MARKS[node.status])} ${node.name.padEnd(widest)}  ${paint(node.status.padEnd(11))} ${nodeNote(colors, node, moment)}`.trimEnd();
  });
  const spent = span((rollout.endedAt ?? now) - rollout.createdAt);
  const title = `${colors.bold(`${selected(rollout)} → ${rollout.release}`)}  ${paintOf(colors, rollout.status)(rollout.status)}  ${colors.dim(`${rollout.id} · ${spent}`)}`;
  return [title, ...lines, `  ${summary(rollout, lease)}`, ...reasonLines(colors, rollout)].join("\n");
}

function nodeNote(colors: Colors, node: RolloutNode, { lease, nodes, now }: RolloutMoment): string {
  const parts: string[] = [];
  const live = nodes.find(({ id }) => id === node.nodeId);
  const busy = node.status === "preparing" || node.status === "updating";
  if (busy && live?.update != null) parts.push(progressOf(live.update));
  if (lease?.holder?.nodeId === node.nodeId) {
    const held = `${lease.holder.phase}, lease for ${span(now - lease.holder.since)}`;
    parts.push(lease.holder.overdue ? colors.red(`${held}, overdue`) : held);
  }
  if (node.status === "succeeded" && node.startedAt !== null && node.endedAt !== null) {
    parts.push(
      colors.dim(
        `${node.from?.version ?? "?"} → ${node.to?.version ?? "?"} in ${span(node.endedAt - node.startedAt)}`,
      ),
    );
  }
  if (node.reason !== null && node.status !== "succeeded") parts.push(colors.dim(whyOf(node)));
  return parts.filter((part) => part !== "").join(" · ");
}

/** Of a node that only waits the first sentence is enough: the rest is the rollout's reason, which is told once. */
const whyOf = ({ status, reason }: RolloutNode): string => {
  const message = reason?.message ?? "";
  return status === "pending" ? (/^.*?\.(?= |$)/.exec(message)?.[0] ?? message) : message;
};

const progressOf = ({ step, state, percent, bytesPerSecond }: NonNullable<Node["update"]>): string => {
  const rate = bytesPerSecond === null ? "" : ` at ${(bytesPerSecond / 1e6).toFixed(1)} MB/s`;
  return `${step ?? state} ${percent} %${rate}`;
};

function summary(rollout: Rollout, lease: LeaseView | null): string {
  const count = (status: RolloutNodeStatus) => rollout.nodes.filter((node) => node.status === status).length;
  const parts = [`${count("succeeded")} of ${rollout.nodes.length} updated`];
  for (const status of ["failed", "rolled-back", "skipped"] as const) {
    if (count(status) > 0) parts.push(`${count(status)} ${status.replace("-", " ")}`);
  }
  if (lease !== null && lease.voters > 0) {
    parts.push(
      `${lease.serving} of ${lease.voters} voters serve, quorum ${lease.quorum}${lease.spare > 0 ? ` + ${lease.spare} spare` : ""}`,
    );
  }
  return parts.join(" · ");
}

const reasonLines = (colors: Colors, { status, reason }: Rollout): readonly string[] =>
  reason === null ? [] : [`  ${paintOf(colors, status)(reason.message)}`];

export const rolloutFacts = (rollout: Rollout): string =>
  facts([
    ["id", rollout.id],
    ["nodes", selected(rollout)],
    ["release", rollout.release],
    ["status", rollout.status],
    ["started", `${instant(rollout.createdAt)} by ${rollout.startedBy}`],
    ["ended", instant(rollout.endedAt)],
    ...(rollout.reason === null
      ? []
      : [["why", `${rollout.reason.message} (${rollout.reason.code})`] as const]),
  ]);

/** What changed between two moments, a line each, for where nothing can be redrawn. */
export function rolloutChanges(before: RolloutMoment | null, after: RolloutMoment): readonly string[] {
  const lines: string[] = [];
  const { rollout } = after;
  if (before === null)
    lines.push(
      `rollout ${rollout.id}: ${selected(rollout)} → ${rollout.release}, ${rollout.nodes.length} nodes`,
    );
  for (const node of rollout.nodes) {
    const was = before?.rollout.nodes.find(({ nodeId }) => nodeId === node.nodeId);
    const line = nodeLine(node, after);
    if (was === undefined || before === null || line !== nodeLine(was, before)) lines.push(line);
  }
  if (before?.rollout.status !== rollout.status) {
    lines.push(`rollout ${rollout.status}${rollout.reason === null ? "" : `: ${rollout.reason.message}`}`);
  }
  return lines;
}

/** Without numbers that change all the time. */
function nodeLine(node: RolloutNode, { lease, nodes }: RolloutMoment): string {
  const live = nodes.find(({ id }) => id === node.nodeId);
  const busy = node.status === "preparing" || node.status === "updating";
  const step = busy && live?.update?.step != null ? `, ${live.update.step}` : "";
  const phase = lease?.holder?.nodeId === node.nodeId ? `, lease ${lease.holder.phase}` : "";
  const to = node.status === "succeeded" && node.to !== null ? `, runs ${showBuild(node.to)}` : "";
  const why = node.reason === null || node.status === "succeeded" ? "" : `: ${whyOf(node)}`;
  return `${node.name}: ${node.status}${step}${phase}${to}${why}`;
}
