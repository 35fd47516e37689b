import { Platform, Sha256, Version } from "./build.ts";
import { nullable, type Static, Type } from "./schema.ts";

const closed = { additionalProperties: false };

/** A version published and signed: one bundle per platform. */
export const Release = Type.Object(
  {
    version: Version,
    minVersion: nullable(Version),
    bundles: Type.Array(
      Type.Object(
        {
          platform: Platform,
          buildHash: Sha256,
          target: Type.String(),
          bytes: Type.Integer(),
          sha256: Sha256,
          engines: Type.String(),
          protocol: Type.Integer(),
        },
        closed,
      ),
    ),
  },
  { ...closed, title: "Release" },
);
export type Release = Static<typeof Release>;
export const ReleaseList = Type.Object(
  { releases: Type.Array(Release), targetsVersion: Type.Integer(), expiresAt: nullable(Type.String()) },
  { ...closed, title: "ReleaseList" },
);
