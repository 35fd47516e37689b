import { type Static, Type } from "./schema.ts";

const name = (description: string) =>
  Type.String({ pattern: "^[a-zA-Z0-9]([a-zA-Z0-9._-]{0,62}[a-zA-Z0-9])?$", description });

/** Identity of a node, given by the coordinator when it joins; never reused. */
export const NodeId = Type.String({ pattern: "^n-[0-9a-z]{12}$", description: "Node id" });
export type NodeId = Static<typeof NodeId>;

/** What people call a node; unique among the nodes that are not removed. */
export const NodeName = name("Node name");
export type NodeName = Static<typeof NodeName>;

export const GroupName = name("Group name");
export type GroupName = Static<typeof GroupName>;

/** A name for a release that moves on, such as `stable`. */
export const ChannelName = name("Channel name");
export type ChannelName = Static<typeof ChannelName>;

export const JobId = Type.String({ pattern: "^j-[0-9a-z]{12}$", description: "Job id" });
export type JobId = Static<typeof JobId>;

export const RolloutId = Type.String({ pattern: "^r-[0-9a-z]{12}$", description: "Rollout id" });
export type RolloutId = Static<typeof RolloutId>;

/** One process of an agent: a fresh UUID at every start. */
export const InstanceId = Type.String({ format: "uuid", description: "Instance of an agent" });
export type InstanceId = Static<typeof InstanceId>;

/** The nonce that a `hello` is answered with. */
export const SessionId = Type.String({ pattern: "^[0-9a-f]{32}$", description: "Session nonce" });
export type SessionId = Static<typeof SessionId>;
