import type { ChannelName } from "../../protocol/names.ts";
import type { Channel } from "../../protocol/policy.ts";
import { ok, type Result } from "../../protocol/result.ts";
import { policyOf } from "../core/rollout/policy.ts";
import type { ChannelRecord } from "../store/policy.ts";
import type { Change } from "../store/records.ts";
import { attempt, type Decision } from "./attempt.ts";
import { actorOf, audit } from "./audit.ts";
import type { Context } from "./context.ts";
import type { Channels, IfMatch, Principal, Refusal } from "./coordinator.ts";
import { afterAllJoined } from "./followed.ts";
import { noChannel, refuse } from "./refusals.ts";
import { isNobody } from "./selection.ts";
import type { StartOnPublish } from "./start-on-publish.ts";
import { channelTag, denyStale } from "./tags.ts";

/** Names for releases that move on. See docs/adr/0074-channels.md. */
export const createChannels = (ctx: Context, starts: StartOnPublish): Channels => ({
  list: async () => (await ctx.store.channels()).map(({ value }) => showChannel(value)),
  get: (name) => showOne(ctx, name),

  /** Refusals: `precondition-failed`, `empty-selection`, `stages-out-of-order`. */
  async put(by, name, change, ifMatch = null) {
    const done = await attempt<Result<null, Refusal>>(ctx.store, async () => {
      const stored = await ctx.store.channel(name);
      const stale = denyStale(ifMatch, stored === null ? null : channelTag(stored.value));
      if (stale !== null) return { changes: [], answer: stale };
      if (change.selection != null && isNobody(change.selection)) {
        return { changes: [], answer: refuse("empty-selection", "An empty selection is nobody.", EVERYBODY) };
      }
      const stages = policyOf({ all: true }, change.policy ?? {});
      if (!stages.ok) return { changes: [], answer: stages };
      const now = ctx.wall();
      const before = stored?.value ?? { name, ...NEW, updatedAt: now };
      const edited = { ...before, ...change, updatedAt: now };
      const after: ChannelRecord = { ...edited, startDue: edited.startOnPublish ? before.startDue : null };
      if (stored !== null && same(before, after)) return { changes: [], answer: ok(null) };
      const action = stored === null ? "channel.created" : "channel.edited";
      const said = stored === null ? null : configured(before);
      const changes: Change[] = [
        { kind: "channel", value: after, expected: stored?.revision ?? 0 },
        audit(ctx, actorOf(by), action, name, said, configured(after)),
        ...(after.startOnPublish ? [] : [resolved(name, now, "The channel does not start rollouts.")]),
      ];
      return { changes, answer: ok(null) };
    });
    return done.ok ? showOne(ctx, name) : done;
  },

  remove: (by, name, ifMatch = null) => attempt(ctx.store, () => decideRemove(ctx, by, name, ifMatch)),

  /** Refusals: `not-found`, `no-release`. */
  async promote(by, name, { release }) {
    const done = await attempt(ctx.store, () => decidePromote(ctx, by, name, release));
    if (!done.ok) return done;
    await starts.run(name);
    return showOne(ctx, name);
  },
});

async function decidePromote(
  ctx: Context,
  by: Principal,
  name: ChannelName,
  release: string,
): Promise<Decision<Result<null, Refusal>>> {
  const stored = await ctx.store.channel(name);
  if (stored === null) return { changes: [], answer: noChannel(name) };
  if (!ctx.repository.releases().releases.some(({ version }) => version === release)) {
    const answer = refuse("no-release", `${release} is not published.`, {
      hint: "Publish it with `baton publish`.",
      context: { release },
    });
    return { changes: [], answer };
  }
  const { value } = stored;
  if (value.release === release) return { changes: [], answer: ok(null) };
  const now = ctx.wall();
  const startDue = value.startOnPublish && by.kind === "operator" ? by : null;
  const promotedAt = await afterAllJoined(ctx);
  const after: ChannelRecord = { ...value, release, promotedAt, updatedAt: now, startDue };
  const changes: Change[] = [
    { kind: "channel", value: after, expected: stored.revision },
    audit(ctx, actorOf(by), "channel.promoted", name, { release: value.release }, { release }),
    resolved(name, now, `The channel was moved to ${release}.`),
  ];
  return { changes, answer: ok(null) };
}

async function decideRemove(
  ctx: Context,
  by: Principal,
  name: ChannelName,
  ifMatch: IfMatch,
): Promise<Decision<Result<Channel, Refusal>>> {
  const no = (answer: Result<never, Refusal>) => ({ changes: [], answer });
  const stored = await ctx.store.channel(name);
  if (stored === null) return no(noChannel(name));
  const stale = denyStale(ifMatch, channelTag(stored.value));
  if (stale !== null) return no(stale);
  const groups = (await ctx.store.groups()).filter(({ value }) => value.channel === name);
  if (groups.length > 0) {
    const names = groups.slice(0, 5).map(({ value }) => value.name);
    const more = groups.length > names.length ? ` and ${groups.length - names.length} more` : "";
    return no(
      refuse("channel-in-use", `Channel ${name} is followed by ${names.join(", ")}${more}.`, {
        hint: "Let them follow another one first, or none.",
        context: { groups: groups.length },
      }),
    );
  }
  const changes: Change[] = [
    { kind: "remove-channel", name, expected: stored.revision },
    audit(ctx, actorOf(by), "channel.removed", name, configured(stored.value), null),
    resolved(name, ctx.wall(), "The channel was removed."),
  ];
  return { changes, answer: ok(showChannel(stored.value)) };
}

async function showOne(ctx: Context, name: ChannelName): Promise<Result<Channel, Refusal>> {
  const stored = await ctx.store.channel(name);
  return stored === null ? noChannel(name) : ok(showChannel(stored.value));
}

/** The channel as the API shows it. */
export function showChannel(record: ChannelRecord): Channel {
  const { startDue: _due, ...channel } = record;
  return channel;
}

const NEW = {
  release: null,
  startOnPublish: false,
  selection: null,
  policy: {},
  promotedAt: null,
  startDue: null,
} as const;

const EVERYBODY = { hint: 'Say {"all": true} for everybody, or null for those who follow the channel.' };

const resolved = (name: ChannelName, at: number, because: string): Change => ({
  kind: "resolve",
  alert: "rollout_not_started",
  subject: name,
  at,
  because,
});

const configured = ({ release, startOnPublish, selection, policy }: ChannelRecord) => ({
  release,
  startOnPublish,
  selection,
  policy,
});

const same = (a: ChannelRecord, b: ChannelRecord): boolean =>
  JSON.stringify(configured(a)) === JSON.stringify(configured(b));
