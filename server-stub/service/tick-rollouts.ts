import type { Reason } from "../../protocol/job.ts";
import type { NodeId, RolloutId } from "../../protocol/names.ts";
import type { EpochMs } from "../../protocol/time.ts";
import { cancelJob } from "../core/job/outcome.ts";
import { because } from "../core/rollout/reasons.ts";
import { isActiveRollout, isEnded, type Place, type RolloutRecord } from "../core/rollout/rollout.ts";
import type { Change } from "../store/records.ts";
import { attempt } from "./attempt.ts";
import { COORDINATOR } from "./audit.ts";
import type { Context } from "./context.ts";
import { lookAtRollout, statusChanges } from "./engine.ts";
import { isolated } from "./isolated.ts";
import { jobChanges } from "./job-changes.ts";
import { endChanges } from "./rollout-end.ts";

/** So many looks in a row that go wrong are no accident. */
const MAX_FAULTS = 10;

/**
 * Looks at every rollout that is not over. One at which the engine itself fails keeps no other from going on, and is
 * failed when it goes wrong again and again; a store that does not answer fails none.
 */
export function createRolloutWatch(ctx: Context): () => Promise<void> {
  const faults = new Map<RolloutId, number>();
  const watch = async (id: RolloutId): Promise<void> => {
    try {
      await lookAtRollout(ctx, id);
      faults.delete(id);
    } catch (error) {
      const many = (faults.get(id) ?? 0) + 1;
      faults.set(id, many);
      if (many === MAX_FAULTS) await giveUp(ctx, id, error);
      throw error;
    }
  };
  return async () => {
    const unfinished = await ctx.store.unfinishedRollouts();
    for (const { value } of unfinished) {
      await isolated(ctx, "rollout", { rolloutId: value.id }, () => watch(value.id));
    }
    for (const id of faults.keys()) if (!unfinished.some(({ value }) => value.id === id)) faults.delete(id);
  };
}

/** Fails it without looking at its nodes, since that is what goes wrong: who holds a lease finishes, nobody else begins. */
async function giveUp(ctx: Context, id: RolloutId, error: unknown): Promise<void> {
  await attempt(ctx.store, async () => {
    const stored = await ctx.store.rollout(id);
    if (stored === null || !isActiveRollout(stored.value)) return { changes: [], answer: null };
    const busy = await ctx.store.busyLeases();
    const holders = new Set(busy.flatMap(({ value }) => value.holders.map((holder) => holder.nodeId)));
    const jobs = (await ctx.store.activeJobs()).filter(
      ({ value }) => value.rolloutId === id && !holders.has(value.nodeId),
    );
    const reason = because(
      "engine-fault",
      `${FAULTS}: ${error instanceof Error ? error.message : "unknown"}`,
    );
    const after = failed(stored.value, reason, holders, ctx.wall());
    const changes: Change[] = [
      ...jobs.flatMap((job) => jobChanges(ctx, job, cancelJob(job.value, reason, ctx.wall()))),
      { kind: "rollout", value: after, expected: stored.revision, before: stored.value },
      ...statusChanges(ctx, stored.value, after, COORDINATOR),
      ...(await endChanges(ctx, stored.value, after)),
    ];
    return { changes, answer: null };
  });
}

const FAULTS = `The coordinator failed ${MAX_FAULTS} times in a row at this rollout`;

function failed(
  rollout: RolloutRecord,
  reason: Reason,
  holders: ReadonlySet<NodeId>,
  wallMs: EpochMs,
): RolloutRecord {
  const left = because("halted", "Left as it was: the rollout failed.");
  const isUnderWay = (node: Place) => !isEnded(node) && holders.has(node.nodeId);
  const nodes = rollout.nodes.map((node): Place => {
    if (isEnded(node) || isUnderWay(node) || node.status === "pending") return node;
    return { ...node, status: "pending", jobId: null, startedAt: null, reason: left };
  });
  const endedAt = nodes.some(isUnderWay) ? null : wallMs;
  return { ...rollout, status: "failed", reason, pause: null, nodes, endedAt };
}
