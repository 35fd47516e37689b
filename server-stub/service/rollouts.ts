import { quorumOf } from "../../protocol/quorum.ts";
import type { Release } from "../../protocol/release.ts";
import { ok, type Result } from "../../protocol/result.ts";
import type { RolloutNode, StartRolloutRequest } from "../../protocol/rollout.ts";
import { cancelJob } from "../core/job/outcome.ts";
import { isActiveRollout, type RolloutRecord, showRollout } from "../core/rollout/rollout.ts";
import type { Change, GroupRecord, NodeRecord } from "../store/records.ts";
import { attempt, type Decision } from "./attempt.ts";
import { actorOf, audit } from "./audit.ts";
import { type Context, newId } from "./context.ts";
import type { Principal, Refusal, Rollouts } from "./coordinator.ts";
import { runRollout, stopRollout } from "./engine.ts";
import { jobChanges } from "./job-changes.ts";
import { noGroup, refuse } from "./refusals.ts";
import { newestRelease } from "./releases.ts";

export const createRollouts = (ctx: Context): Rollouts => ({
  /**
   * Refusals: `not-found`, `no-release`, `rollout-active`, `empty-selection`, `accept-outage-needed`,
   * `no-build-for-platform`.
   */
  async start(by, request) {
    const started = await attempt(ctx.store, () => decideStart(ctx, by, request));
    if (!started.ok) return started;
    await runRollout(ctx, started.value.id);
    return showOne(ctx, started.value.id);
  },

  list: async () => (await ctx.store.rollouts()).map(({ value }) => showRollout(value)),

  get: (id) => showOne(ctx, id),

  async cancel(by, id) {
    const rollout = await ctx.store.rollout(id);
    if (rollout === null) return noRollout(id);
    const { status } = rollout.value;
    if (status === "cancelled") return ok(showRollout(rollout.value));
    if (!isActiveRollout(rollout.value) && status !== "halted") {
      return refuse("wrong-state", `Rollout ${id} is ${status} and cannot be cancelled.`, {
        context: { state: status },
      });
    }
    await stopRollout(ctx, id, actorOf(by));
    return showOne(ctx, id);
  },
});

async function showOne(ctx: Context, id: string) {
  const rollout = await ctx.store.rollout(id);
  return rollout === null ? noRollout(id) : ok(showRollout(rollout.value));
}

const noRollout = (id: string) =>
  refuse("not-found", `There is no rollout ${id}.`, { context: { rollout: id } });

async function decideStart(
  ctx: Context,
  by: Principal,
  request: StartRolloutRequest,
): Promise<Decision<Result<RolloutRecord, Refusal>>> {
  const { store } = ctx;
  const no = (answer: Result<never, Refusal>) => ({ changes: [], answer });
  const group = await store.group(request.group);
  if (group === null) return no(noGroup(request.group));
  const { releases } = ctx.repository.releases();
  const version = request.release ?? newestRelease(releases);
  const release = releases.find((each) => each.version === version);
  if (release === undefined) {
    return no(
      refuse(
        "no-release",
        version === null ? "Nothing has been published yet." : `${version} is not published.`,
        {
          hint: "Publish it with `baton publish`.",
        },
      ),
    );
  }
  const unfinished = await store.unfinishedRollouts(request.group);
  const active = unfinished.find(({ value }) => isActiveRollout(value));
  if (active !== undefined) {
    return no(
      refuse(
        "rollout-active",
        `Rollout ${active.value.id} of ${active.value.release} is ${active.value.status} in ${request.group}.`,
        {
          hint: "Wait for it, or cancel it.",
          context: { rollout: active.value.id, state: active.value.status },
        },
      ),
    );
  }
  const nodes = (await store.nodes(request.group)).map((node) => node.value).filter(isApproved);
  const denied = denySelection(group.value, nodes, request) ?? denyPlatforms(release, nodes);
  if (denied !== null) return no(denied);
  const acceptOutage = request.acceptOutage === true;
  const rollout: RolloutRecord = {
    id: newId(ctx.random, "r"),
    release: release.version,
    group: request.group,
    mode: group.value.mode,
    retry: request.retry === true,
    status: "pending",
    reason: null,
    acceptOutage,
    nodes: nodes.map(pendingNode),
    startedBy: by.kind === "operator" ? by.name : by.nodeId,
    createdAt: ctx.wall(),
    endedAt: null,
  };
  const said = { release: rollout.release, group: rollout.group, nodes: nodes.length, acceptOutage };
  const changes: Change[] = [
    // The group is written so that two rollouts cannot start beside each other.
    { kind: "group", value: group.value, expected: group.revision },
    { kind: "rollout", value: rollout, expected: 0 },
    ...(await supersede(ctx, rollout, actorOf(by))),
    audit(ctx, actorOf(by), "rollout.started", rollout.id, null, { ...said, retry: rollout.retry }),
  ];
  return { changes, answer: ok(rollout) };
}

/** Jobs of its nodes that hold no lease make way; one that does is waited for. */
async function supersede(
  ctx: Context,
  rollout: RolloutRecord,
  by: { readonly actor: string; readonly from: string },
): Promise<Change[]> {
  const lease = await ctx.store.lease(rollout.group);
  const jobs = await ctx.store.activeJobsOf(rollout.group);
  const holders = lease?.value.holders ?? [];
  const idle = jobs.filter((job) => !holders.some((holder) => holder.nodeId === job.value.nodeId));
  if (idle.length === 0 || lease === null) return [];
  const reason = {
    code: "superseded",
    message: `Rollout ${rollout.id} of ${rollout.release} has taken its place.`,
  };
  return [
    { kind: "same-lease", group: rollout.group, expected: lease.revision },
    ...idle.flatMap((job) => jobChanges(ctx, job, cancelJob(job.value, reason, ctx.wall()), by)),
  ];
}

const isApproved = (node: NodeRecord): boolean => node.membership === "approved";

function denySelection(
  group: GroupRecord,
  nodes: readonly NodeRecord[],
  request: StartRolloutRequest,
): Result<never, Refusal> | null {
  if (nodes.length === 0) {
    return refuse("empty-selection", `Group ${group.name} has no approved nodes.`, {
      hint: "Let nodes join it, and approve them.",
    });
  }
  const voters = nodes.filter((node) => node.voter).length;
  if (group.mode !== "quorum" || voters >= 3 || request.acceptOutage === true) return null;
  return refuse(
    "accept-outage-needed",
    `Group ${group.name} has ${voters} voters and a quorum of ${quorumOf(voters)}: it cannot lose any and keep serving.`,
    { hint: "Say `--accept-outage` if that is fine.", context: { voters, quorum: quorumOf(voters) } },
  );
}

/** What cannot be for all is not begun: a group would be left with two releases, or the release with no node on it. */
function denyPlatforms(release: Release, nodes: readonly NodeRecord[]): Result<never, Refusal> | null {
  const has = (platform: string) => release.bundles.some((bundle) => bundle.platform === platform);
  const without = nodes.flatMap(({ name, known }) =>
    known === null || has(known.platform) ? [] : [{ name, platform: known.platform }],
  );
  const [first] = without;
  if (first === undefined) return null;
  const others = without.length === 1 ? "" : `, nor one for ${without.length - 1} more nodes`;
  return refuse(
    "no-build-for-platform",
    `${release.version} has no bundle for ${first.platform}, which ${first.name} is${others}. Nothing was begun.`,
    {
      hint: "Publish the release with a bundle for it as well.",
      context: { nodes: without.length, platform: first.platform },
    },
  );
}

const pendingNode = (node: NodeRecord): RolloutNode => ({
  nodeId: node.id,
  name: node.name,
  group: node.group,
  status: "pending",
  from: node.known?.build ?? null,
  to: null,
  jobId: null,
  reason: null,
  startedAt: null,
  endedAt: null,
});
