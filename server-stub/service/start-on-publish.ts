/**
 * The rollout that a promotion starts by itself. That one is due is written together with the promotion, so that a
 * coordinator which dies in between starts it when it is back; a refusal leaves the promotion as it is, and is told.
 */
import type { ChannelName, RolloutId } from "../../protocol/names.ts";
import type { Result } from "../../protocol/result.ts";
import type { StartRolloutRequest } from "../../protocol/rollout.ts";
import type { ChannelRecord } from "../store/policy.ts";
import type { Change, Stored } from "../store/records.ts";
import { attempt } from "./attempt.ts";
import { actorOf, audit } from "./audit.ts";
import type { Context } from "./context.ts";
import type { Principal, Refusal } from "./coordinator.ts";

export type StartRollout = (
  by: Principal,
  request: StartRolloutRequest,
  /** What is written in the same go; null when it is not to be started after all. */
  also: (rollout: RolloutId) => Promise<readonly Change[] | null>,
) => Promise<Result<{ readonly id: string }, Refusal>>;

export type StartOnPublish = {
  /** Starts what is due of a channel, one after the other. May be called at any time. */
  run(name: ChannelName): Promise<void>;
  /** What an earlier coordinator left due. */
  runAll(): Promise<void>;
};

export function createStartOnPublish(ctx: Context, start: StartRollout): StartOnPublish {
  const turns = new Map<ChannelName, Promise<void>>();
  const run = (name: ChannelName): Promise<void> => {
    const turn = (turns.get(name) ?? Promise.resolve()).then(() => startDue(ctx, start, name));
    turns.set(
      name,
      turn.catch(() => undefined),
    );
    return turn;
  };
  return {
    run,
    async runAll() {
      for (const { value } of await ctx.store.channels()) if (value.startDue !== null) await run(value.name);
    },
  };
}

async function startDue(ctx: Context, start: StartRollout, name: ChannelName): Promise<void> {
  const channel = await ctx.store.channel(name);
  if (channel === null || channel.value.startDue === null || channel.value.release === null) return;
  const { release, startDue: by, selection, policy } = channel.value;
  /** As long as this very start is due: promoted once more meanwhile, another one is. */
  const stillDue = async (): Promise<Stored<ChannelRecord> | null> => {
    const now = await ctx.store.channel(name);
    return now === null || now.value.startDue === null || now.value.release !== release ? null : now;
  };
  const request = { selection: selection ?? { channel: name }, release, policy };
  const started = await start(by, request, async (rollout) => {
    const now = await stillDue();
    return now === null ? null : [cleared(now), resolved(ctx, name, rollout)];
  });
  if (started.ok) {
    ctx.log.info({ channel: name, release, rollout: started.value.id }, "a promotion started a rollout");
    return;
  }
  const { error } = started;
  await attempt(ctx.store, async () => {
    const now = await stillDue();
    if (now === null) return { changes: [], answer: null };
    return { changes: [cleared(now), ...refused(ctx, by, now.value, error)], answer: null };
  });
}

const cleared = ({ value, revision }: Stored<ChannelRecord>): Change => ({
  kind: "channel",
  value: { ...value, startDue: null },
  expected: revision,
});

const resolved = (ctx: Context, name: ChannelName, rollout: RolloutId): Change => ({
  kind: "resolve",
  alert: "rollout_not_started",
  subject: name,
  at: ctx.wall(),
  because: `Rollout ${rollout} was started.`,
});

function refused(
  ctx: Context,
  by: Principal,
  { name, release }: ChannelRecord,
  { code, message }: Refusal,
): Change[] {
  const at = ctx.wall();
  ctx.log.warn({ channel: name, release, code, reason: message }, "a promotion could not start its rollout");
  return [
    audit(ctx, actorOf(by), "channel.start-refused", name, null, { release, code, message }),
    {
      kind: "raise",
      alert: "rollout_not_started",
      subject: name,
      message: `Channel ${name} was moved to ${release}, and no rollout was started: ${message}`,
      at,
    },
  ];
}
