/** Everything that is read from JSON: what was written fits, and what nearly was is refused in decent words. */
import fc from "fast-check";
import { AgentStatus, WatchEvent } from "../../../agent/control/messages.ts";
import { Journal, Swap, Verdict } from "../../../agent/core/journal.ts";
import { NodeIdentity } from "../../../agent/effects/identity.ts";
import { TrustFloor } from "../../../agent/effects/trust/floor.ts";
import { VersionJson } from "../../../protocol/build.ts";
import { KeyRequest, readKeyRequest, readTrustUpdate, TrustUpdate } from "../../../protocol/ceremony.ts";
import { AgentFrame, CoordinatorFrame } from "../../../protocol/frames.ts";
import { LogLine } from "../../../protocol/job.ts";
import { QuarantineEntry } from "../../../protocol/journal.ts";
import { RootMetadata, TargetsMetadata } from "../../../protocol/metadata.ts";
import { parseJson } from "../../../protocol/parse.ts";
import { Problem } from "../../../protocol/problem.ts";
import type { Fault, Result } from "../../../protocol/result.ts";
import type { TSchema } from "../../../protocol/schema.ts";
import { ReleaseCustom } from "../../../protocol/trust.ts";
import { BackupManifest } from "../../../server-stub/backup/manifest.ts";
import { fitting, type JsonSchema, nearly } from "../generate/from-schema.ts";
import { damaged, nastyValue, toText } from "../generate/nasty.ts";
import { decent } from "../says.ts";
import type { Target } from "../target.ts";

const READ: Readonly<Record<string, TSchema>> = {
  "a frame of an agent": AgentFrame,
  "a frame of a coordinator": CoordinatorFrame,
  "a problem body": Problem,
  "version.json": VersionJson,
  "a journal": Journal,
  "a record of a swap": Swap,
  "a verdict": Verdict,
  "a quarantine entry": QuarantineEntry,
  "node.json": NodeIdentity,
  "a trust floor": TrustFloor,
  "a line of a job's log": LogLine,
  "an agent's status": AgentStatus,
  "a line of a watch": WatchEvent,
  "a root": RootMetadata,
  "targets metadata": TargetsMetadata,
  "what is signed of a release": ReleaseCustom,
  "a backup's manifest": BackupManifest,
};

/** Reads that do more than a schema says. */
const FURTHER: Readonly<
  Record<string, readonly [schema: TSchema, read: (text: string) => Result<unknown, Fault>]>
> = {
  "a key request": [KeyRequest, readKeyRequest],
  "a trust update": [TrustUpdate, readTrustUpdate],
};

const shapeOf = (schema: TSchema): JsonSchema => JSON.parse(JSON.stringify(schema)) as JsonSchema;

/** Texts of nearly a value of this schema, of any value, and of no value at all. */
export function texts(schema: TSchema): fc.Arbitrary<string> {
  const near = nearly(shapeOf(schema)).map(toText);
  return fc.oneof(
    { weight: 5, arbitrary: near },
    { weight: 3, arbitrary: damaged(near) },
    { weight: 1, arbitrary: nastyValue.map(toText) },
  );
}

const taken = (name: string, schema: TSchema): Target => ({
  name: `${name} that fits is taken as it is`,
  runs: 25,
  property: fc.property(fitting(shapeOf(schema)), (value) => {
    const text = JSON.stringify(value);
    const read = parseJson(schema, text, "It");
    if (!read.ok) throw new Error(read.error.message);
    return JSON.stringify(read.value) === text;
  }),
});

export const refused = (
  name: string,
  schema: TSchema,
  read: (text: string) => Result<unknown, Fault>,
): Target => ({
  name: `${name} that nearly fits is taken or refused in decent words`,
  runs: 60,
  property: fc.property(texts(schema), (text) => decent(read(text))),
});

export const targets: readonly Target[] = [
  ...Object.entries(READ).flatMap(([name, schema]) => [
    taken(name, schema),
    refused(name, schema, (text) => parseJson(schema, text, "It")),
  ]),
  ...Object.entries(FURTHER).map(([name, [schema, read]]) => refused(name, schema, read)),
];
