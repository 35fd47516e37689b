import type { GroupName, RolloutId } from "../../protocol/names.ts";
import { ok, type Result } from "../../protocol/result.ts";
import { type ActionName, act, type May, mayAct } from "../core/rollout/actions.ts";
import { isActiveRollout, type RolloutRecord } from "../core/rollout/rollout.ts";
import type { Change, GroupRecord, Stored } from "../store/records.ts";
import { attempt, type Decision } from "./attempt.ts";
import { actorOf, audit } from "./audit.ts";
import { type Context, timeOf } from "./context.ts";
import type { Principal, Refusal } from "./coordinator.ts";
import { look, pushAll, runRollout, touchedBy, type Who } from "./engine.ts";
import { noRollout, refuse } from "./refusals.ts";
import { rollbackChanges } from "./rollback.ts";
import { endChanges } from "./rollout-end.ts";
import { claim, groupsFor, overtakenBy, rolloutInTheWay } from "./rollouts-in-the-way.ts";
import { rolloutNotice } from "./webhooks/rollout-notice.ts";

type Told = {
  /** The rollout that was told; for a rollback the one that takes it back. */
  readonly id: RolloutId;
  readonly touched: ReturnType<typeof touchedBy>;
};
type Decided = Decision<Result<Told, Refusal>>;

/**
 * What an operator tells a rollout: written at once, and what follows from it. Saying again what is so already is no
 * error. Refusals: `not-found`, `wrong-state` with the state and what can be done instead, and where it is taken up
 * again or taken back `rollout-active`.
 */
export async function tellRollout(
  ctx: Context,
  by: Principal,
  id: RolloutId,
  name: ActionName,
): Promise<Result<RolloutId, Refusal>> {
  const done = await attempt(ctx.store, () => decide(ctx, by, id, name));
  if (!done.ok) return done;
  const { id: shown, touched } = done.value;
  await pushAll(ctx, new Map(touched.map(({ nodeId, group }) => [nodeId, group])));
  await runRollout(ctx, id);
  if (shown !== id) await runRollout(ctx, shown);
  return ok(shown);
}

async function decide(ctx: Context, by: Principal, id: RolloutId, name: ActionName): Promise<Decided> {
  const stored = await ctx.store.rollout(id);
  if (stored === null) return no(noRollout(id));
  const value = name === "rollback" ? await withoutCancelled(ctx, stored.value) : stored.value;
  const may = mayAct(value, name);
  const shown = name === "rollback" ? (value.rolledBackBy ?? id) : id;
  if (may === "done") return { changes: [], answer: ok({ id: shown, touched: [] }) };
  if (may !== "yes") return no(wrongState(value, may));
  const who = actorOf(by);
  const told = act(value, { name, by: who.actor.replace(/^operator /, "") }, timeOf(ctx));
  if (name === "retry") return retry(ctx, stored, told, who);
  const looked = await look(ctx, stored, told, who);
  if (name === "rollback") return takeBack(ctx, stored, looked, who);
  return wrote(ctx, stored, looked.rollout, looked.changes, who, name);
}

/** Taking it back was cancelled, so it may be taken back again: who is back by then stays. */
async function withoutCancelled(ctx: Context, rollout: RolloutRecord): Promise<RolloutRecord> {
  const { rolledBackBy } = rollout;
  const back = rolledBackBy === null ? null : await ctx.store.rollout(rolledBackBy);
  return back?.value.status === "cancelled" ? { ...rollout, rolledBackBy: null } : rollout;
}

/** A rollout that was over needs its nodes again. Their groups may have become something else meanwhile. */
async function retry(
  ctx: Context,
  stored: Stored<RolloutRecord>,
  told: RolloutRecord,
  who: Who,
): Promise<Decided> {
  const { nodes, id } = stored.value;
  const isActive = isActiveRollout(stored.value);
  const needed = isActive ? told.nodes.filter((node, at) => node !== nodes[at]) : nodes;
  const busy = await rolloutInTheWay(
    ctx,
    needed.map((node) => node.nodeId),
    id,
  );
  if (busy !== null) return no(busy);
  const later = await overtakenBy(ctx, stored.value);
  if (later !== null) return no(wrongState(stored.value, overtaken(id, later)));
  const groups = await groupsFor(ctx, told);
  if (isActive) return wrote(ctx, stored, told, claim(groups), who, "retry");
  return wrote(ctx, stored, { ...told, quorumGroups: quorumOf(groups) }, claim(groups), who, "retry");
}

/** Who is active is cancelled in the same write. */
async function takeBack(
  ctx: Context,
  stored: Stored<RolloutRecord>,
  { rollout: looked, changes }: Awaited<ReturnType<typeof look>>,
  who: Who,
): Promise<Decided> {
  const groups = await groupsFor(ctx, looked);
  const taken = rollbackChanges(ctx, looked, who, quorumOf(groups));
  if (taken === null) return no(wrongState(stored.value, NOBODY_MOVED));
  const { back, rollout } = taken;
  const busy = await rolloutInTheWay(
    ctx,
    back.nodes.map((node) => node.nodeId),
    rollout.id,
  );
  if (busy !== null) return no(busy);
  const also = [...changes, ...claim(groups), ...taken.changes];
  const written = await wrote(ctx, stored, rollout, also, who, "rollback");
  const answer = written.answer.ok ? ok({ ...written.answer.value, id: back.id }) : written.answer;
  return { ...written, answer };
}

const quorumOf = (groups: readonly Stored<GroupRecord>[]): readonly GroupName[] =>
  groups.filter(({ value }) => value.mode === "quorum").map(({ value }) => value.name);

const overtaken = (id: RolloutId, { id: later, release }: RolloutRecord): Exclude<May, string> => ({
  message: `Rollout ${id} was overtaken by rollout ${later} of ${release}, which has moved its nodes since.`,
  hint: "Start a rollout anew, with `--retry` for who failed.",
});

const NOBODY_MOVED = {
  message: "None of its nodes has moved yet: there is nothing to take back.",
  hint: "Cancel it, and its nodes stay as they are.",
};

async function wrote(
  ctx: Context,
  { value: before, revision }: Stored<RolloutRecord>,
  after: RolloutRecord,
  also: readonly Change[],
  who: Who,
  name: ActionName,
): Promise<Decided> {
  const said = { status: after.status, reason: after.reason?.message ?? null };
  const changes: Change[] = [
    ...also,
    { kind: "rollout", value: after, expected: revision, before },
    audit(ctx, who, `rollout.${PAST[name]}`, after.id, { status: before.status }, said),
    ...(name === "retry" || after.status !== before.status
      ? rolloutNotice(ctx, after, name === "retry" ? "retried" : after.status)
      : []),
    ...(await endChanges(ctx, before, after)),
  ];
  return { changes, answer: ok({ id: after.id, touched: touchedBy(before, after) }) };
}

/** What the audit log calls it. */
const PAST = {
  pause: "paused",
  resume: "resumed",
  cancel: "cancelled",
  retry: "retried",
  rollback: "rolled-back",
} as const;

const no = (answer: Result<never, Refusal>): Decided => ({ changes: [], answer });

const wrongState = ({ status }: RolloutRecord, { message, hint }: Exclude<May, string>) =>
  refuse("wrong-state", message, { ...(hint === "" ? {} : { hint }), context: { state: status } });
