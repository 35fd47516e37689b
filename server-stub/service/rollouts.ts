import { quorumOf } from "../../protocol/quorum.ts";
import type { Release } from "../../protocol/release.ts";
import { ok, type Result } from "../../protocol/result.ts";
import type { Rollout, StartRolloutRequest } from "../../protocol/rollout.ts";
import { cancelJob } from "../core/job/outcome.ts";
import type { ActionName } from "../core/rollout/actions.ts";
import { placeOf } from "../core/rollout/places.ts";
import { policyOf } from "../core/rollout/policy.ts";
import type { RolloutRecord } from "../core/rollout/rollout.ts";
import { showHead, showRollout } from "../core/rollout/show.ts";
import { beginRollout } from "../core/rollout/snapshot.ts";
import type { Change, NodeRecord } from "../store/records.ts";
import { attempt, type Decision } from "./attempt.ts";
import { actorOf, audit } from "./audit.ts";
import { type Context, newId } from "./context.ts";
import type { Principal, Refusal, Rollouts } from "./coordinator.ts";
import { runRollout } from "./engine.ts";
import { jobChanges } from "./job-changes.ts";
import { refuse } from "./refusals.ts";
import { newestRelease } from "./releases.ts";
import { noRollout, tellRollout } from "./rollout-actions.ts";
import { claim, rolloutInTheWay } from "./rollouts-in-the-way.ts";
import { type SelectedNodes, selectNodes } from "./selection.ts";

export const createRollouts = (ctx: Context): Rollouts => ({
  /**
   * Refusals: `not-found`, `no-release`, `rollout-active`, `empty-selection`, `accept-outage-needed`,
   * `no-build-for-platform`, `stages-out-of-order`.
   */
  async start(by, request) {
    const started = await attempt(ctx.store, () => decideStart(ctx, by, request));
    if (!started.ok) return started;
    await runRollout(ctx, started.value.id);
    return showOne(ctx, started.value.id);
  },

  list: async () => (await ctx.store.rollouts()).map(({ value }) => showHead(value)),

  get: (id) => showOne(ctx, id),

  pause: (by, id) => tell(ctx, by, id, "pause"),
  resume: (by, id) => tell(ctx, by, id, "resume"),
  cancel: (by, id) => tell(ctx, by, id, "cancel"),
  retry: (by, id) => tell(ctx, by, id, "retry"),
  /** Answers the rollout that takes this one back; one that is active is cancelled with it. */
  rollback: (by, id) => tell(ctx, by, id, "rollback"),
});

async function tell(
  ctx: Context,
  by: Principal,
  id: string,
  name: ActionName,
): Promise<Result<Rollout, Refusal>> {
  const told = await tellRollout(ctx, by, id, name);
  return told.ok ? showOne(ctx, told.value) : told;
}

async function showOne(ctx: Context, id: string): Promise<Result<Rollout, Refusal>> {
  const rollout = await ctx.store.rollout(id);
  return rollout === null ? noRollout(id) : ok(showRollout(rollout.value));
}

async function decideStart(
  ctx: Context,
  by: Principal,
  request: StartRolloutRequest,
): Promise<Decision<Result<RolloutRecord, Refusal>>> {
  const no = (answer: Result<never, Refusal>) => ({ changes: [], answer });
  const selected = await selectNodes(ctx, request.selection);
  if (!selected.ok) return no(selected);
  const { nodes, groups } = selected.value;
  const policy = policyOf(request.selection, request.policy ?? {}, (await ctx.store.policy()).value.rollout);
  if (!policy.ok) return no(policy);
  const release = await releaseFor(ctx, request);
  if (!release.ok) return no(release);
  const denied =
    (await rolloutInTheWay(
      ctx,
      nodes.map((node) => node.id),
      null,
    )) ??
    denySelection(selected.value, request) ??
    denyPlatforms(release.value, nodes);
  if (denied !== null) return no(denied);
  const quorumGroups = [...groups.values()].filter(({ value }) => value.mode === "quorum");
  const acceptOutage = request.acceptOutage === true;
  const rollout = beginRollout(
    {
      id: newId(ctx.random, "r"),
      kind: "update",
      release: release.value.version,
      rollbackOf: null,
      selection: request.selection,
      policy: policy.value,
      quorumGroups: quorumGroups.map(({ value }) => value.name),
      acceptOutage,
      allowUnhealthy: [],
      retry: request.retry === true,
      planHash: request.planHash ?? null,
      perNodeMs: null,
      startedBy: by.kind === "operator" ? by.name : by.nodeId,
      createdAt: ctx.wall(),
    },
    nodes.map((node) => ({
      nodeId: node.id,
      name: node.name,
      group: node.group,
      role: ctx.live.presence(node.id)?.heartbeat?.health.role ?? null,
      from: node.known?.build ?? null,
      to: null,
    })),
  );
  const said = {
    release: rollout.release,
    selection: rollout.selection,
    policy: rollout.policy,
    nodes: nodes.length,
    acceptOutage,
    retry: request.retry === true,
  };
  const changes: Change[] = [
    // Its groups are written so that two rollouts cannot start beside each other, nor a group change meanwhile.
    ...claim(groups.values()),
    { kind: "rollout", value: rollout, expected: 0 },
    ...(await supersede(ctx, rollout, actorOf(by))),
    audit(ctx, actorOf(by), "rollout.started", rollout.id, null, said),
  ];
  return { changes, answer: ok(rollout) };
}

/** Without a name the one that the selected channel is at, or else the newest. */
async function releaseFor(ctx: Context, request: StartRolloutRequest): Promise<Result<Release, Refusal>> {
  const { releases } = ctx.repository.releases();
  const { channel: name } = request.selection;
  const channel = name === undefined ? null : await ctx.store.channel(name);
  const version = request.release ?? channel?.value.release ?? newestRelease(releases);
  const release = releases.find((each) => each.version === version);
  if (release !== undefined) return ok(release);
  return refuse(
    "no-release",
    version === null ? "Nothing has been published yet." : `${version} is not published.`,
    { hint: "Publish it with `baton publish`." },
  );
}

/** Jobs of its nodes that hold no lease make way; one that does is waited for. */
async function supersede(
  ctx: Context,
  rollout: RolloutRecord,
  by: { readonly actor: string; readonly from: string },
): Promise<Change[]> {
  const holders = new Set(
    (await ctx.store.busyLeases()).flatMap(({ value }) => value.holders.map((holder) => holder.nodeId)),
  );
  const jobs = (await ctx.store.activeJobs()).filter(
    ({ value }) => placeOf(rollout, value.nodeId) !== undefined && !holders.has(value.nodeId),
  );
  const reason = {
    code: "superseded",
    message: `Rollout ${rollout.id} of ${rollout.release} has taken its place.`,
  };
  return jobs.flatMap((job) => jobChanges(ctx, job, cancelJob(job.value, reason, ctx.wall()), by));
}

function denySelection(
  { nodes, groups }: SelectedNodes,
  request: StartRolloutRequest,
): Result<never, Refusal> | null {
  if (request.acceptOutage === true) return null;
  for (const { value: group } of groups.values()) {
    if (group.mode !== "quorum") continue;
    const voters = nodes.filter((node) => node.voter && node.group === group.name).length;
    if (voters >= 3) continue;
    return refuse(
      "accept-outage-needed",
      `Group ${group.name} has ${voters} voters and a quorum of ${quorumOf(voters)}: it cannot lose any and keep serving.`,
      { hint: "Say `--accept-outage` if that is fine.", context: { voters, quorum: quorumOf(voters) } },
    );
  }
  return null;
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
