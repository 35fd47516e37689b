/** When updates may begin, and which release a group is to follow. */
import { Version } from "./build.ts";
import { ChannelName } from "./names.ts";
import { RolloutPolicyChoice, Selection } from "./rollout.ts";
import { nullable, type Static, Type } from "./schema.ts";

const closed = { additionalProperties: false };

/** Open for `durationMs` from each time that `cron` (five fields, node-cron's) comes due in `timezone` (IANA). */
export const Window = Type.Object(
  {
    cron: Type.String({ minLength: 9, maxLength: 200 }),
    timezone: Type.String({ minLength: 1, maxLength: 64 }),
    durationMs: Type.Integer({ minimum: 60_000, maximum: 604_800_000 }),
  },
  { ...closed, title: "Window" },
);
export type Window = Static<typeof Window>;

/** No new lease is reserved while it stands; what is in flight finishes. */
export const Freeze = Type.Object(
  {
    reason: Type.String({ minLength: 1, maxLength: 500 }),
    /** Wall clock of the coordinator; null until it is lifted. */
    until: nullable(Type.Integer()),
    by: Type.String(),
    at: Type.Integer(),
  },
  { ...closed, title: "Freeze" },
);
export type Freeze = Static<typeof Freeze>;
/** Who is frozen already is frozen anew, with this reason and until this time. */
export const FreezeRequest = Type.Object(
  { reason: Type.String({ minLength: 1, maxLength: 500 }), until: Type.Optional(nullable(Type.Integer())) },
  { ...closed, title: "FreezeRequest" },
);
export type FreezeRequest = Static<typeof FreezeRequest>;

/** Of the whole fleet. A group's own windows stand in place of these; a freeze of either stops both. */
export const FleetPolicy = Type.Object(
  {
    /** Empty: always. */
    windows: Type.Array(Window, { maxItems: 50 }),
    freeze: nullable(Freeze),
    /** What a rollout takes when it is not told otherwise. */
    rollout: RolloutPolicyChoice,
  },
  { ...closed, title: "FleetPolicy" },
);
export type FleetPolicy = Static<typeof FleetPolicy>;
/** What is given stands in place of all that was there; what is absent stays. */
export const EditFleetPolicyRequest = Type.Object(
  {
    windows: Type.Optional(Type.Array(Window, { maxItems: 50 })),
    rollout: Type.Optional(RolloutPolicyChoice),
  },
  { ...closed, title: "EditFleetPolicyRequest" },
);
export type EditFleetPolicyRequest = Static<typeof EditFleetPolicyRequest>;

/**
 * A name for a release that moves on, such as `stable`: groups follow it. To move it brings no node anywhere by
 * itself, but for nodes that join later; with `startOnPublish` it starts a rollout.
 */
export const Channel = Type.Object(
  {
    name: ChannelName,
    release: nullable(Version),
    /** A release that is promoted to it starts a rollout by itself, with this policy, over this selection. */
    startOnPublish: Type.Boolean(),
    /** Null: the nodes of all groups that follow it. */
    selection: nullable(Selection),
    policy: RolloutPolicyChoice,
    /** When it was last moved to a release; null before the first. */
    promotedAt: nullable(Type.Integer()),
    updatedAt: Type.Integer(),
  },
  { ...closed, title: "Channel" },
);
export type Channel = Static<typeof Channel>;
export const ChannelList = Type.Object(
  { channels: Type.Array(Channel), next: nullable(Type.String()) },
  { ...closed, title: "ChannelList" },
);
/** Makes the channel when there is none; what is absent stays, or takes its default. */
export const EditChannelRequest = Type.Object(
  {
    startOnPublish: Type.Optional(Type.Boolean()),
    selection: Type.Optional(nullable(Selection)),
    policy: Type.Optional(RolloutPolicyChoice),
  },
  { ...closed, title: "EditChannelRequest" },
);
export type EditChannelRequest = Static<typeof EditChannelRequest>;
export const PromoteRequest = Type.Object({ release: Version }, { ...closed, title: "PromoteRequest" });
