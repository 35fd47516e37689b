import { type Build, sameBuild, showBuild } from "../../protocol/build.ts";
import type { Job, JobKind } from "../../protocol/job.ts";
import type { JobId, NodeId } from "../../protocol/names.ts";
import { err, ok, type Result } from "../../protocol/result.ts";
import { buildFor, refusesUnasked, wantedFor } from "../core/desired.ts";
import { showJob } from "../core/job/job.ts";
import { protocolOf, stateOf } from "../core/presence/presence.ts";
import { placeOf } from "../core/rollout/places.ts";
import { isEnded } from "../core/rollout/rollout.ts";
import type { Change, NodeKnown, StoredNode } from "../store/records.ts";
import { attempt, type Decision } from "./attempt.ts";
import { actorOf, audit } from "./audit.ts";
import { type Context, newId } from "./context.ts";
import type { Principal, Refusal, StartOptions } from "./coordinator.ts";
import { followed } from "./followed.ts";
import { brief } from "./job-changes.ts";
import { newJob } from "./new-job.ts";
import { inProgress } from "./node-job.ts";
import { noNode, refuse } from "./refusals.ts";
import { readPublished } from "./releases.ts";
import { holdingRollout } from "./situation.ts";

type Options = StartOptions & { readonly retryOf?: JobId };

/** From this version of the protocol on an agent can be asked to look at its own node. */
const DIAGNOSIS_PROTOCOL = 2;

/**
 * Starts a job on one node, at an operator's word or its own. For an update or a rollback the lease is taken like by
 * any other; a diagnosis needs none, and may stand beside another job.
 * Refusals: `not-found`, `node-revoked`, `node-not-approved`, `node-offline`, `update-in-progress`, `in-rollout`,
 * `no-backup`, `no-release`, `no-build-for-platform`, `already-up-to-date`, `held`, `quarantined` (`retry` lifts the
 * last two), and for a diagnosis `not-supported`.
 */
export const startJob = (
  ctx: Context,
  by: Principal,
  nodeId: NodeId,
  kind: JobKind,
  options: Options,
): Promise<Result<Job, Refusal>> =>
  attempt<Result<Job, Refusal>>(ctx.store, async () => {
    const node = await ctx.store.node(nodeId);
    if (node === null) return { changes: [], answer: noNode(nodeId) };
    const denied = (await denyStart(ctx, node, kind)) ?? denyOffline(ctx, node);
    const to = denied ?? (await target(ctx, node, kind, options));
    if (!to.ok) return { changes: [], answer: to };
    return opened(ctx, by, node, kind, to.value, options);
  });

function opened(
  ctx: Context,
  by: Principal,
  node: StoredNode,
  kind: JobKind,
  to: Build | null,
  { retry = false, retryOf = null }: { retry?: boolean; retryOf?: JobId | null },
): Decision<Result<Job, Refusal>> {
  const cause = by.kind === "node" ? "update-now" : "operator";
  const job = newJob(ctx, node.value, { id: newId(ctx.random, "j"), kind, cause, to, retry, retryOf });
  const entry = audit(ctx, actorOf(by), "job.queued", job.id, null, brief(job));
  const changes: Change[] = [
    // The node is written so that it is still what the job is opened for: in this group, and not revoked.
    { kind: "node", value: node.value, expected: node.revision },
    { kind: "job", value: job, expected: 0 },
    entry,
  ];
  return { changes, answer: ok(showJob(job)) };
}

async function denyStart(
  ctx: Context,
  node: StoredNode,
  kind: JobKind,
): Promise<Result<never, Refusal> | null> {
  const { id, name, membership } = node.value;
  if (membership === "revoked") return refuse("node-revoked", `${name}'s credential was revoked.`);
  if (membership === "pending") {
    return refuse("node-not-approved", `${name} waits for approval.`, { hint: "Approve it first." });
  }
  if (node.value.client !== undefined) {
    return refuse(
      "wrong-state",
      `${name} speaks FleetLock: nothing is installed on it or asked of it from here.`,
      {
        context: { state: "fleet-lock" },
      },
    );
  }
  if (kind === "diagnose") {
    const busy = await ctx.store.activeDiagnosis(id);
    return busy === null ? null : err(inProgress(busy.value));
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
  return busy === null ? null : err(inProgress(busy.value));
}

function denyOffline(ctx: Context, { value: { id, name } }: StoredNode): Result<never, Refusal> | null {
  if (stateOf(ctx.live.presence(id), ctx.timing, ctx.now()) === "online") return null;
  return refuse("node-offline", `${name} is not connected.`, {
    hint: "Start it again once the node is back.",
    retryAfterMs: ctx.timings.heartbeatMs,
  });
}

/** What the job brings the node to; null for a diagnosis. */
async function target(
  ctx: Context,
  node: StoredNode,
  kind: JobKind,
  options: Options,
): Promise<Result<Build | null, Refusal>> {
  const { id, name, known } = node.value;
  if (kind === "diagnose") {
    const protocol = protocolOf(ctx.live.presence(id));
    if (protocol >= DIAGNOSIS_PROTOCOL) return ok(null);
    return refuse("not-supported", `The agent on ${name} is too old to be asked for a diagnosis.`, {
      hint: "Update it, or run `agent doctor` on the machine.",
      context: { protocol, needed: DIAGNOSIS_PROTOCOL },
    });
  }
  if (known === null) return refuse("node-offline", `${name} has not been heard yet.`);
  if (kind === "rollback") {
    if (known.holdings.backup !== null) return ok(known.holdings.backup);
    return refuse("no-backup", `${name} has no build to go back to.`);
  }
  return updateTarget(ctx, node, known, options);
}

async function updateTarget(
  ctx: Context,
  { value: node }: StoredNode,
  known: NodeKnown,
  options: Options,
): Promise<Result<Build, Refusal>> {
  const { releases } = ctx.repository.releases();
  const group = await ctx.store.group(node.group);
  const channel = group === null ? null : await followed(ctx, group.value);
  const wanted = wantedFor(group?.value.wanted ?? null, node.placed, channel);
  const { newestFor } = readPublished(ctx);
  const release = options.release ?? wanted ?? newestFor(known.platform) ?? newestFor(null);
  if (release === null) return refuse("no-release", "Nothing has been published yet.");
  if (!releases.some(({ version }) => version === release)) {
    return refuse("no-release", `${release} is not published.`, {
      hint: "`baton releases` tells what is.",
      context: { release },
    });
  }
  const to = buildFor(releases, release, known.platform);
  if (to === null) {
    return refuse("no-build-for-platform", `${release} has no bundle for ${known.platform}.`);
  }
  if (sameBuild(known.build, to)) {
    return refuse("already-up-to-date", `${node.name} runs ${showBuild(to)} already.`);
  }
  const refuses = options.retry === true ? null : refusesUnasked(known.holdings, to);
  if (refuses === null) return ok(to);
  return refuse(refuses.code === "held" ? "held" : "quarantined", `${node.name}: ${refuses.message}`, {
    hint: "Say `--retry` to lift it.",
  });
}
