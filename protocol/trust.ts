/**
 * What a publisher signs of a release, how the files of the repository are called, and how a release is handed
 * to the coordinator. Frozen: every agent version reads these.
 */
import { lt, valid } from "semver";
import { type Build, Platform, Sha256, Version } from "./build.ts";
import { type Role, TargetsMetadata } from "./metadata.ts";
import { type Static, Type } from "./schema.ts";
import type { DurationMs } from "./time.ts";

const DAY: DurationMs = 86_400_000;

/**
 * How long a signature is good for. Root and targets are renewed by a person (an alert warns `warnBeforeMs`
 * ahead), snapshot and timestamp by the coordinator when half of their time is gone.
 */
export const LIFETIMES: Readonly<Record<Role, DurationMs>> & { readonly warnBeforeMs: DurationMs } = {
  root: 365 * DAY,
  targets: 180 * DAY,
  snapshot: 7 * DAY,
  timestamp: DAY,
  warnBeforeMs: 30 * DAY,
};

/** Largest metadata that anybody reads, bytes. */
export const MAX_METADATA_BYTES: Readonly<Record<Role, number>> = {
  root: 512_000,
  targets: 5_000_000,
  snapshot: 64_000,
  timestamp: 16_384,
};

/** Largest bundle that may be published, bytes. */
export const MAX_BUNDLE_BYTES = 4 * 2 ** 30;

/**
 * The signed `custom` of a target: what a node must know of a build before it fetches it. Members that are not
 * known are left alone, so that a later publisher can add some.
 */
export const ReleaseCustom = Type.Object(
  {
    version: Version,
    buildHash: Sha256,
    platform: Platform,
    engines: Type.Object({ node: Type.String({ minLength: 1, maxLength: 255 }) }),
    protocol: Type.Integer({ minimum: 1 }),
    /** Floor of every node that confirms this release: it never goes below again. */
    minVersion: Type.Optional(Version),
    channel: Type.Optional(Type.String({ pattern: "^[a-z0-9][a-z0-9._-]{0,62}$" })),
    builtAt: Type.Optional(Type.String({ maxLength: 64 })),
    gitCommit: Type.Optional(Type.String({ maxLength: 64 })),
  },
  { title: "ReleaseCustom" },
);
export type ReleaseCustom = Static<typeof ReleaseCustom>;

/** Name of a bundle in the targets metadata: `1.4.0/linux-x64-3f2a9c1b0d4e.tar.zst`. */
export const targetName = (build: Build, platform: Platform): string =>
  `${build.version}/${platform}-${build.buildHash.slice(0, 12)}.tar.zst`;

/** Where a target lies below `targets/`, with the hash in the name: `1.4.0/<sha256>.linux-x64-….tar.zst`. */
export function targetPath(name: string, sha256: string): string {
  const slash = name.lastIndexOf("/");
  return `${name.slice(0, slash + 1)}${sha256}.${name.slice(slash + 1)}`;
}

/** `targetPath` as the path of an address; a version may carry a `+`. */
export const targetUrlPath = (name: string, sha256: string): string =>
  targetPath(name, sha256).split("/").map(encodeURIComponent).join("/");

/** Where metadata lies below `metadata/`: `3.root.json`; the timestamp alone has no version in its name. */
export const metadataName = (role: Role, version: number): string =>
  role === "timestamp" ? "timestamp.json" : `${version}.${role}.json`;

/** `PUT` the bytes of a bundle here before publishing. Repeating it is harmless. */
export const uploadPath = (sha256: string): string => `/v1/releases/uploads/${sha256}`;
export const UPLOAD_ROUTE = "/v1/releases/uploads/:sha256";
export const PUBLISH_PATH = "/v1/releases";
export const TUF_METADATA_PATH = "/tuf/metadata";
export const TUF_TARGETS_PATH = "/tuf/targets";

/** Answer to an upload. Refused with `upload-mismatch` when the bytes are not those that the address names. */
export const Uploaded = Type.Object(
  { sha256: Sha256, bytes: Type.Integer({ minimum: 0 }) },
  { additionalProperties: false, title: "Uploaded" },
);

/**
 * Body of `POST /v1/releases`: a compare-and-set on the version of the targets metadata (0 when there is none).
 * Refused with `targets-version-conflict` when somebody else was faster, `release-refused` when it does not
 * verify or names what was not uploaded, `trust-not-ready` before the ceremony.
 */
export const PublishRequest = Type.Object(
  { targets: TargetsMetadata, expectedTargetsVersion: Type.Integer({ minimum: 0 }) },
  { additionalProperties: false, title: "PublishRequest" },
);
export type PublishRequest = Static<typeof PublishRequest>;

export const Published = Type.Object(
  { targetsVersion: Type.Integer({ minimum: 1 }) },
  { additionalProperties: false, title: "Published" },
);

/** Whether a version may not be installed on a node with this floor. Without a floor everything may. */
export const belowFloor = (version: string, floor: string | null): boolean =>
  floor !== null && lt(version, floor);

/** The floor after confirming a release with this signed `minVersion`: it only rises. */
export const raisedFloor = (floor: string | null, minVersion: string | null | undefined): string | null => {
  if (minVersion === null || minVersion === undefined || valid(minVersion) === null) return floor;
  return floor === null || lt(floor, minVersion) ? minVersion : floor;
};
