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
export const FreezeRequest = Type.Object(
  { reason: Type.String({ minLength: 1, maxLength: 500 }), until: Type.Optional(nullable(Type.Integer())) },
  { ...closed, title: "FreezeRequest" },
);

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
export const EditFleetPolicyRequest = Type.Object(
  {
    windows: Type.Optional(Type.Array(Window, { maxItems: 50 })),
    rollout: Type.Optional(RolloutPolicyChoice),
  },
  { ...closed, title: "EditFleetPolicyRequest" },
);

/** A name for a release that moves on, such as `stable`: groups follow it. */
export const Channel = Type.Object(
  {
    name: ChannelName,
    release: nullable(Version),
    /** A release that is promoted to it starts a rollout by itself, with this policy, over this selection. */
    startOnPublish: Type.Boolean(),
    selection: nullable(Selection),
    policy: RolloutPolicyChoice,
    updatedAt: Type.Integer(),
  },
  { ...closed, title: "Channel" },
);
export type Channel = Static<typeof Channel>;
export const ChannelList = Type.Object(
  { channels: Type.Array(Channel), next: nullable(Type.String()) },
  { ...closed, title: "ChannelList" },
);
export const EditChannelRequest = Type.Object(
  {
    startOnPublish: Type.Optional(Type.Boolean()),
    selection: Type.Optional(nullable(Selection)),
    policy: Type.Optional(RolloutPolicyChoice),
  },
  { ...closed, title: "EditChannelRequest" },
);
export const PromoteRequest = Type.Object({ release: Version }, { ...closed, title: "PromoteRequest" });
