/**
 * FleetLock: how other clients, such as Zincati, ask for leave to reboot. Its names and shapes are theirs.
 * Source: https://coreos.github.io/zincati/development/fleetlock/protocol/
 */
import { nullable, type Static, Type } from "./schema.ts";

const closed = { additionalProperties: false };

/** Must be there, with the value `true`. */
export const FLEET_LOCK_HEADER = "fleet-lock-protocol";

/** What else is in it is passed over. */
export const FleetLockRequest = Type.Object(
  {
    client_params: Type.Object({
      /** Whose the lock is: any text, the same after the reboot. */
      id: Type.String({ minLength: 1, maxLength: 512 }),
      group: Type.String({ pattern: "^[a-zA-Z0-9.-]+$" }),
    }),
  },
  { title: "FleetLockRequest" },
);
export type FleetLockRequest = Static<typeof FleetLockRequest>;

/** Why a client is refused, and the status that says so. Only `full` and `closed` mean: ask again later. */
export const FLEET_LOCK_KINDS = {
  /** The header, the body, the id or the group is not as the protocol has it. */
  bad_request: 400,
  /** The group wants a user and a password, and these are not they. */
  unauthorized: 401,
  /** An operator has not approved the client yet, or has revoked it. */
  not_approved: 403,
  /** There is no such group, or FleetLock is not open in it. */
  unknown_group: 404,
  too_large: 413,
  /** Somebody else holds the lease, or too few others serve. */
  full: 423,
  /** Nobody may begin right now: outside the window, frozen, or halted. */
  closed: 423,
  too_many_requests: 429,
  internal: 500,
  unavailable: 503,
} as const satisfies Readonly<Record<string, number>>;
export type FleetLockKind = keyof typeof FLEET_LOCK_KINDS;

export const FleetLockError = Type.Object(
  { kind: Type.Enum(Object.keys(FLEET_LOCK_KINDS)), value: Type.String() },
  { ...closed, title: "FleetLockError" },
);

/** How FleetLock clients come into a group. */
export const FleetLockSettings = Type.Object(
  {
    /** New ones have a vote in the group's quorum. */
    voter: Type.Boolean(),
    /** New ones need no operator's approval. */
    autoApprove: Type.Boolean(),
    /** They have to name themselves by Basic authentication. */
    basicAuth: Type.Boolean(),
  },
  { ...closed, title: "FleetLockSettings" },
);
export type FleetLockSettings = Static<typeof FleetLockSettings>;

export const OpenFleetLockRequest = Type.Object(
  {
    voter: Type.Optional(Type.Boolean()),
    autoApprove: Type.Optional(Type.Boolean()),
    basicAuth: Type.Optional(Type.Boolean()),
  },
  { ...closed, title: "OpenFleetLockRequest" },
);
export type OpenFleetLockRequest = Static<typeof OpenFleetLockRequest>;

/** `user` and `password` are told this once; null without Basic authentication. Opening it again makes new ones. */
export const FleetLockOpened = Type.Object(
  {
    ...FleetLockSettings.properties,
    user: nullable(Type.String()),
    password: nullable(Type.String()),
  },
  { ...closed, title: "FleetLockOpened" },
);
export type FleetLockOpened = Static<typeof FleetLockOpened>;
