import { Version } from "./build.ts";
import { FleetLockSettings } from "./fleet-lock.ts";
import { Reason } from "./job.ts";
import { LeaseView } from "./lease.ts";
import { ChannelName, GroupName } from "./names.ts";
import { Freeze, Window } from "./policy.ts";
import { literals, nullable, type Static, Type } from "./schema.ts";

const closed = { additionalProperties: false };

export const GroupMode = literals(["quorum", "independent"]);
export type GroupMode = Static<typeof GroupMode>;

export const Group = Type.Object(
  {
    name: GroupName,
    mode: GroupMode,
    /** Serving voters to keep beyond the quorum; null takes the default for the number of voters. */
    spare: nullable(Type.Integer({ minimum: 0, maximum: 100 })),
    desired: nullable(Version),
    /** When its nodes may be disrupted; null takes the fleet's windows, and none at all is always. */
    windows: nullable(Type.Array(Window, { maxItems: 50 })),
    freeze: nullable(Freeze),
    /** The channel that it follows. */
    channel: nullable(ChannelName),
    /** Why nobody in it may begin to be disrupted right now: frozen, or outside its window. */
    gate: nullable(Reason),
    nodes: Type.Integer(),
    lease: LeaseView,
    createdAt: Type.Integer(),
    /** How FleetLock clients come into it; absent where they may not. */
    fleetLock: Type.Optional(FleetLockSettings),
  },
  { ...closed, title: "Group" },
);
export type Group = Static<typeof Group>;
export const GroupList = Type.Object(
  { groups: Type.Array(Group), next: nullable(Type.String()) },
  { ...closed, title: "GroupList" },
);

export const CreateGroupRequest = Type.Object(
  {
    name: GroupName,
    mode: Type.Optional(GroupMode),
    spare: Type.Optional(nullable(Type.Integer({ minimum: 0, maximum: 100 }))),
  },
  { ...closed, title: "CreateGroupRequest" },
);
export const EditGroupRequest = Type.Object(
  {
    mode: Type.Optional(GroupMode),
    spare: Type.Optional(nullable(Type.Integer({ minimum: 0, maximum: 100 }))),
    windows: Type.Optional(nullable(Type.Array(Window, { maxItems: 50 }))),
    channel: Type.Optional(nullable(ChannelName)),
  },
  { ...closed, title: "EditGroupRequest" },
);
export type EditGroupRequest = Static<typeof EditGroupRequest>;
