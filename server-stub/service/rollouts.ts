import { quorumOf } from "../../protocol/quorum.ts";
import type { Release } from "../../protocol/release.ts";
import { ok, type Result } from "../../protocol/result.ts";
import type { Rollout, StartRolloutRequest } from "../../protocol/rollout.ts";
import { cancelJob } from "../core/job/outcome.ts";
import { type ActionName, mayAct } from "../core/rollout/actions.ts";
import { policyOf } from "../core/rollout/policy.ts";
import {
  isActiveRollout,
  isEnded,
  placeOf,
  type RolloutRecord,
  showHead,
  showRollout,
} from "../core/rollout/rollout.ts";
import { beginRollout } from "../core/rollout/snapshot.ts";
import type { Change, NodeRecord } from "../store/records.ts";
import { attempt, type Decision } from "./attempt.ts";
import { actorOf, audit } from "./audit.ts";
import { type Context, newId } from "./context.ts";
import type { Principal, Refusal, Rollouts } from "./coordinator.ts";
import { runRollout, tellRollout } from "./engine.ts";
import { jobChanges } from "./job-changes.ts";
import { refuse } from "./refusals.ts";
import { newestRelease } from "./releases.ts";
import { rollbackChanges } from "./rollback.ts";
import { type SelectedNodes, selectNodes } from "./selection.ts";
import { rolloutNotice } from "./webhooks/rollout-notice.ts";

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
  async retry(by, id) {
    const rollout = await ctx.store.rollout(id);
    const other = rollout === null ? null : await inOthers(ctx, rollout.value);
    return other ?? tell(ctx, by, id, "retry");
  },

  /** Takes the rollout back; one that is active is cancelled first. Refusals: `not-found`, `wrong-state`. */
  async rollback(by, id) {
    const found = await ctx.store.rollout(id);
    if (found === null) return noRollout(id);
    if (found.value.rolledBackBy !== null) return showOne(ctx, found.value.rolledBackBy);
    if (isActiveRollout(found.value)) await tell(ctx, by, id, "cancel");
    const begun = await attempt(ctx.store, () => decideRollback(ctx, by, id));
    if (!begun.ok) return begun;
    await runRollout(ctx, begun.value);
    return showOne(ctx, begun.value);
  },
});

async function showOne(ctx: Context, id: string): Promise<Result<Rollout, Refusal>> {
  const rollout = await ctx.store.rollout(id);
  return rollout === null ? noRollout(id) : ok(showRollout(rollout.value));
}

const noRollout = (id: string) =>
  refuse("not-found", `There is no rollout ${id}.`, { context: { rollout: id } });

/** Refusals: `not-found`, `wrong-state` with the state; saying again what is so already is no error. */
async function tell(
  ctx: Context,
  by: Principal,
  id: string,
  name: ActionName,
): Promise<Result<Rollout, Refusal>> {
  const rollout = await ctx.store.rollout(id);
  if (rollout === null) return noRollout(id);
  const may = mayAct(rollout.value, name);
  if (may === "wrong-state") return wrongState(rollout.value, PAST[name]);
  const who = actorOf(by);
  if (may === "yes") await tellRollout(ctx, id, { name, by: who.actor.replace(/^operator /, "") }, who);
  return showOne(ctx, id);
}

const PAST = { pause: "paused", resume: "resumed", cancel: "cancelled", retry: "retried" } as const;

const wrongState = ({ id, status }: RolloutRecord, what: string) =>
  refuse("wrong-state", `Rollout ${id} is ${status} and cannot be ${what}.`, { context: { state: status } });

async function decideRollback(
  ctx: Context,
  by: Principal,
  id: string,
): Promise<Decision<Result<string, Refusal>>> {
  const stored = await ctx.store.rollout(id);
  if (stored === null) return { changes: [], answer: noRollout(id) };
  if (stored.value.rolledBackBy !== null) return { changes: [], answer: ok(stored.value.rolledBackBy) };
  const { rollout, back, changes } = await rollbackChanges(ctx, stored.value, actorOf(by));
  if (back.nodes.length === 0) {
    return {
      changes: [],
      answer: refuse("wrong-state", `Rollout ${id} has moved no node: there is nothing to take back.`, {
        context: { state: stored.value.status },
      }),
    };
  }
  const busy = await activeWith(
    ctx,
    back.nodes.map((node) => node.nodeId),
    id,
  );
  if (busy !== null) return { changes: [], answer: busy };
  return {
    changes: [
      { kind: "rollout", value: rollout, expected: stored.revision, before: stored.value },
      ...changes,
    ],
    answer: ok(back.id),
  };
}

/** A rollout is not taken up again while another one has its nodes. */
async function inOthers(ctx: Context, rollout: RolloutRecord): Promise<Result<never, Refusal> | null> {
  if (isActiveRollout(rollout)) return null;
  return activeWith(
    ctx,
    rollout.nodes.map((node) => node.nodeId),
    rollout.id,
  );
}

/** Another active rollout that has one of these nodes and is not done with it. */
async function activeWith(
  ctx: Context,
  nodeIds: readonly string[],
  but: string | null,
): Promise<Result<never, Refusal> | null> {
  for (const { value } of await ctx.store.unfinishedRollouts()) {
    if (value.id === but || !isActiveRollout(value)) continue;
    const place = nodeIds
      .map((id) => placeOf(value, id))
      .find((each) => each !== undefined && !isEnded(each));
    if (place === undefined) continue;
    return refuse(
      "rollout-active",
      `Rollout ${value.id} of ${value.release} is ${value.status} and has ${place.name}. Nothing was begun.`,
      {
        hint: "Wait for it, or cancel it.",
        context: { rollout: value.id, state: value.status, node: place.name },
      },
    );
  }
  return null;
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
    (await activeWith(
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
    ...[...groups.values()].map(
      ({ value, revision }): Change => ({ kind: "group", value, expected: revision }),
    ),
    { kind: "rollout", value: rollout, expected: 0 },
    ...(await supersede(ctx, rollout, actorOf(by))),
    audit(ctx, actorOf(by), "rollout.started", rollout.id, null, said),
    ...rolloutNotice(ctx, rollout, "started"),
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
