import { type Build, sameBuild, showBuild } from "../../protocol/build.ts";
import type { Job } from "../../protocol/job.ts";
import type { NodeId } from "../../protocol/names.ts";
import { err, ok, type Result } from "../../protocol/result.ts";
import { buildFor, refusesUnasked, wantedFor } from "../core/desired.ts";
import { showJob } from "../core/job/job.ts";
import { stateOf } from "../core/presence/presence.ts";
import { isEnded, placeOf } from "../core/rollout/rollout.ts";
import type { Change, NodeKnown, StoredNode } from "../store/records.ts";
import { attempt, type Decision } from "./attempt.ts";
import { actorOf, audit } from "./audit.ts";
import { type Context, newId } from "./context.ts";
import type { Principal, Refusal } from "./coordinator.ts";
import { brief } from "./job-changes.ts";
import { newJob } from "./new-job.ts";
import { inProgress } from "./node-job.ts";
import { noNode, refuse } from "./refusals.ts";
import { newestRelease } from "./releases.ts";
import { holdingRollout } from "./situation.ts";

/**
 * Starts an update or rollback job on one node, at an operator's word or its own; the lease is taken like by any
 * other.
 * Refusals: `not-found`, `node-not-approved`, `node-offline`, `update-in-progress`, `in-rollout`, `no-backup`,
 * `no-release`, `no-build-for-platform`, `already-up-to-date`, `held`, `quarantined` (`retry` lifts the last two).
 */
export const startJob = (
  ctx: Context,
  by: Principal,
  nodeId: NodeId,
  kind: "update" | "rollback",
  options: { retry?: boolean },
): Promise<Result<Job, Refusal>> =>
  attempt<Result<Job, Refusal>>(ctx.store, async () => {
    const node = await ctx.store.node(nodeId);
    if (node === null) return { changes: [], answer: noNode(nodeId) };
    const to = (await denyStart(ctx, node)) ?? (await target(ctx, node, kind, options.retry === true));
    if (!to.ok) return { changes: [], answer: to };
    return opened(ctx, by, node, kind, to.value, options.retry === true);
  });

function opened(
  ctx: Context,
  by: Principal,
  node: StoredNode,
  kind: "update" | "rollback",
  to: Build,
  retry: boolean,
): Decision<Result<Job, Refusal>> {
  const cause = by.kind === "node" ? "update-now" : "operator";
  const job = newJob(ctx, node.value, { id: newId(ctx.random, "j"), kind, cause, to, retry });
  const entry = audit(ctx, actorOf(by), "job.queued", job.id, null, brief(job));
  const changes: Change[] = [
    // The node is written so that it is still what the job is opened for: in this group, and not revoked.
    { kind: "node", value: node.value, expected: node.revision },
    { kind: "job", value: job, expected: 0 },
    entry,
  ];
  return { changes, answer: ok(showJob(job)) };
}

async function denyStart(ctx: Context, node: StoredNode): Promise<Result<never, Refusal> | null> {
  const { id, name, membership } = node.value;
  if (membership === "revoked") return refuse("node-revoked", `${name}'s credential was revoked.`);
  if (membership === "pending") {
    return refuse("node-not-approved", `${name} waits for approval.`, { hint: "Approve it first." });
  }
  const busy = await ctx.store.activeJob(id);
  const rollout = await holdingRollout(ctx, node);
  const place = rollout === null ? undefined : placeOf(rollout.value, id);
  if (rollout !== null && place !== undefined && !isEnded(place)) {
    return refuse("in-rollout", `Rollout ${rollout.value.id} has ${name} (${place.status}).`, {
      hint: "Wait for the rollout, or cancel it.",
      context: { rollout: rollout.value.id, state: place.status },
    });
  }
  if (busy !== null) return err(inProgress(busy.value));
  if (stateOf(ctx.live.presence(id), ctx.timing, ctx.now()) === "online") return null;
  return refuse("node-offline", `${name} is not connected.`, {
    hint: "Start it again once the node is back.",
    retryAfterMs: ctx.timings.heartbeatMs,
  });
}

async function target(
  ctx: Context,
  node: StoredNode,
  kind: "update" | "rollback",
  retry: boolean,
): Promise<Result<Build, Refusal>> {
  const { name, known } = node.value;
  if (known === null) return refuse("node-offline", `${name} has not been heard yet.`);
  if (kind === "rollback") {
    if (known.holdings.backup !== null) return ok(known.holdings.backup);
    return refuse("no-backup", `${name} has no build to go back to.`);
  }
  return updateTarget(ctx, node, known, retry);
}

async function updateTarget(
  ctx: Context,
  { value: node }: StoredNode,
  known: NodeKnown,
  retry: boolean,
): Promise<Result<Build, Refusal>> {
  const { releases } = ctx.repository.releases();
  const group = await ctx.store.group(node.group);
  const release = wantedFor(group?.value.wanted ?? null, node.placed) ?? newestRelease(releases);
  if (release === null) return refuse("no-release", "Nothing has been published yet.");
  const to = buildFor(releases, release, known.platform);
  if (to === null) {
    return refuse("no-build-for-platform", `${release} has no bundle for ${known.platform}.`);
  }
  if (sameBuild(known.build, to)) {
    return refuse("already-up-to-date", `${node.name} runs ${showBuild(to)} already.`);
  }
  const refuses = retry ? null : refusesUnasked(known.holdings, to);
  if (refuses === null) return ok(to);
  return refuse(refuses.code === "held" ? "held" : "quarantined", `${node.name}: ${refuses.message}`, {
    hint: "Say `--retry` to lift it.",
  });
}
