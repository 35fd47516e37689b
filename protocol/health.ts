import { type Static, Type } from "./schema.ts";

export const Role = Type.Union([Type.Literal("leader"), Type.Literal("follower"), Type.Literal("observer")]);
export type Role = Static<typeof Role>;

/** What the health hook may print; `caughtUp` and `role` are absent when it does not say. */
export const HealthReport = Type.Object(
  {
    healthy: Type.Boolean(),
    caughtUp: Type.Optional(Type.Boolean()),
    role: Type.Optional(Role),
    detail: Type.Optional(Type.String({ maxLength: 1000 })),
  },
  { additionalProperties: false, title: "HealthReport" },
);
export type HealthReport = Static<typeof HealthReport>;
