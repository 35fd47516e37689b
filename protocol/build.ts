import { parseJson } from "./parse.ts";
import { type Static, Type } from "./schema.ts";

/** SHA-256 in lower-case hex. */
export const Sha256 = Type.String({ pattern: "^[0-9a-f]{64}$", description: "SHA-256, lower-case hex" });

/** A semantic version (semver.org 2.0.0) without a leading "v". */
export const Version = Type.String({
  pattern:
    "^(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)(-[0-9A-Za-z-]+(\\.[0-9A-Za-z-]+)*)?(\\+[0-9A-Za-z-]+(\\.[0-9A-Za-z-]+)*)?$",
  maxLength: 64,
  description: "Semantic version",
});

/** Operating system and processor of a bundle, as Node names them. */
export const Platform = Type.String({ pattern: "^linux-(x64|arm64)$", description: "Platform" });
export type Platform = Static<typeof Platform>;

/** What a bundle is. The same version with another hash is another build. */
export const Build = Type.Object(
  { version: Version, buildHash: Sha256 },
  { additionalProperties: false, title: "Build" },
);
export type Build = Static<typeof Build>;

/** A hook: a program in the bundle with its arguments, run in `dist/`; exit 0 is success. */
export const HookCommand = Type.Array(Type.String({ minLength: 1, maxLength: 4096 }), {
  minItems: 1,
  maxItems: 64,
});
export type HookCommand = Static<typeof HookCommand>;

/** The health hook is a program, or an address on this machine that answers 2xx when the workload is well. */
export const HealthHook = Type.Union([
  HookCommand,
  Type.Object({ http: Type.String({ pattern: "^http://" }) }, { additionalProperties: false }),
]);
export type HealthHook = Static<typeof HealthHook>;

/** The program that a bundle carries for the agent to supervise, and its hooks. */
export const Workload = Type.Object(
  {
    command: Type.Optional(HookCommand),
    health: Type.Optional(HealthHook),
    handover: Type.Optional(HookCommand),
    drain: Type.Optional(HookCommand),
    resume: Type.Optional(HookCommand),
    /** Longest that the drain hook may take, milliseconds. */
    drainMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 600_000 })),
    /** Longest between SIGTERM and SIGKILL when the workload is stopped, milliseconds. */
    stopMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 600_000 })),
  },
  { additionalProperties: false, title: "Workload" },
);
export type Workload = Static<typeof Workload>;

/** `dist/version.json`: what a build says of itself. Not part of its own `buildHash`. */
export const VersionJson = Type.Object(
  {
    version: Version,
    buildHash: Sha256,
    builtAt: Type.String({ description: "RFC 3339 instant" }),
    gitCommit: Type.String({ pattern: "^([0-9a-f]{7,40}(-dirty)?|unknown)$" }),
    /** Path of the program that the launcher starts, relative to `dist/`. */
    entry: Type.String({ minLength: 1, maxLength: 255 }),
    /** Semver range of Node that the entry needs; `*` when the bundle carries its own `bin/node`. */
    engines: Type.Object({ node: Type.String() }, { additionalProperties: false }),
    platform: Platform,
    /** Version of the protocol that this build speaks. */
    protocol: Type.Integer({ minimum: 1 }),
    workload: Type.Optional(Workload),
  },
  { additionalProperties: false, title: "VersionJson" },
);
export type VersionJson = Static<typeof VersionJson>;

export const parseVersionJson = (text: string) => parseJson(VersionJson, text, "version.json");

/** A development tree: it runs, and is never behind. */
export const DEVELOPMENT_VERSION = "0.0.0-dev";

/** The hash decides: the same content published under another version is the same build, and nothing to update to. */
export const sameBuild = (a: Build, b: Build): boolean => a.buildHash === b.buildHash;

/** Folder of a build under `releases/`: version and the first twelve digits of its hash. */
export const releaseName = (build: Build): string => `${build.version}-${build.buildHash.slice(0, 12)}`;

/** A build for people: "1.4.0 (3f2a9c1b)". */
export const showBuild = (build: Build): string => `${build.version} (${build.buildHash.slice(0, 8)})`;
