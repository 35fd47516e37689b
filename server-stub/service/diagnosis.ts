/**
 * Diagnoses: a node is asked to look at itself. It needs no lease and no turn, touches no update, and so stands
 * beside whatever job the node has. What it found is in the job's log; the frame only says how it ended.
 */
import type { Diagnosis, Orders } from "../../protocol/frames.ts";
import type { Reason } from "../../protocol/job.ts";
import type { JobId, NodeId } from "../../protocol/names.ts";
import { isActive, type JobRecord } from "../core/job/job.ts";
import { cancelJob, fail, succeed } from "../core/job/outcome.ts";
import { protocolOf } from "../core/presence/presence.ts";
import type { Change } from "../store/records.ts";
import { attempt } from "./attempt.ts";
import type { Context } from "./context.ts";
import { jobChanges } from "./job-changes.ts";

/**
 * Ends the diagnosis that a node tells of: succeeded when nothing is wrong, else failed with what is. One that has
 * ended, that is another node's, or that is no diagnosis is left alone: the frame is repeated until it is not asked
 * for any more.
 */
export const takeDiagnosis = (ctx: Context, nodeId: NodeId, frame: Diagnosis): Promise<void> =>
  change(ctx, nodeId, frame.jobId, (job) => {
    const now = ctx.wall();
    const begun = { ...job, startedAt: job.startedAt ?? now };
    return frame.ok ? { ...succeed(begun, now), step: null } : fail(begun, problemsOf(frame), now);
  });

/** Notes that a node is at work on it, when the first lines of its log come. */
export const beginDiagnosis = (ctx: Context, nodeId: NodeId, jobId: JobId): Promise<void> =>
  change(ctx, nodeId, jobId, (job) =>
    job.status === "queued" ? { ...job, status: "running", startedAt: job.startedAt ?? ctx.wall() } : job,
  );

async function change(
  ctx: Context,
  nodeId: NodeId,
  jobId: JobId,
  to: (job: JobRecord) => JobRecord,
): Promise<void> {
  await attempt(ctx.store, async () => {
    const job = await ctx.store.activeDiagnosis(nodeId);
    const mine = job !== null && job.value.id === jobId && isActive(job.value);
    return { changes: mine ? jobChanges(ctx, job, to(job.value)) : [], answer: undefined };
  });
}

/** What is written when a node goes: nobody will answer any more. */
export async function cancelDiagnosis(
  ctx: Context,
  nodeId: NodeId,
  reason: Reason,
  who: { readonly actor: string; readonly from: string },
): Promise<Change[]> {
  const job = await ctx.store.activeDiagnosis(nodeId);
  return job === null ? [] : jobChanges(ctx, job, cancelJob(job.value, reason, ctx.wall()), who);
}

/** What orders say of it; nothing where there is none, or to an agent that does not know of diagnoses. */
export async function diagnoseOrders(
  ctx: Context,
  nodeId: NodeId,
): Promise<{ orders: Pick<Orders, "diagnose">; logNext: readonly [JobId, number][] }> {
  const none = { orders: {}, logNext: [] };
  if (protocolOf(ctx.live.presence(nodeId)) < 2) return none;
  const job = await ctx.store.activeDiagnosis(nodeId);
  if (job === null) return none;
  const { id } = job.value;
  const index = ctx.live.get(nodeId).logNext.get(id) ?? (await ctx.store.logLength(id));
  return { orders: { diagnose: { jobId: id } }, logNext: [[id, index]] };
}

const MAX_MESSAGE = 2_000;

function problemsOf({ findings }: Diagnosis): Reason {
  const problems = findings.filter(({ level }) => level === "problem");
  const code = problems[0]?.code ?? "diagnosis-failed";
  const message =
    problems.length === 0
      ? "The agent could not look at the node; the job's log says why."
      : problems.map((each) => each.message).join(" ");
  return { code, message: message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE - 1)}…` : message };
}
