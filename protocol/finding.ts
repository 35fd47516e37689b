import { literals, nullable, type Static, Type } from "./schema.ts";

/** `warning`: it works, and will not for ever or not well. `problem`: something that the node needs does not work. */
export const FINDING_LEVELS = ["ok", "warning", "problem"] as const;
export type FindingLevel = (typeof FINDING_LEVELS)[number];

/** The most findings that one look at a node has. */
export const MAX_FINDINGS = 128;

/** One thing that `agent doctor` looked at: how it is, and what to do about it. It never holds a secret. */
export const Finding = Type.Object(
  {
    /** What was looked at, such as `clock`. */
    check: Type.String({ maxLength: 32 }),
    /** Stable, such as `clock-off`; one code has one level. */
    code: Type.String({ maxLength: 64 }),
    level: literals(FINDING_LEVELS),
    message: Type.String({ maxLength: 2000 }),
    /** What to do; null when there is nothing to be done. */
    hint: nullable(Type.String({ maxLength: 2000 })),
  },
  { additionalProperties: false, title: "Finding" },
);
export type Finding = Static<typeof Finding>;
