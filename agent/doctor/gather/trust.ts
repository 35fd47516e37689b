import { join } from "node:path";
import {
  RootMetadata,
  SnapshotMetadata,
  TargetsMetadata,
  TimestampMetadata,
} from "../../../protocol/metadata.ts";
import { parseJson } from "../../../protocol/parse.ts";
import type { TSchema } from "../../../protocol/schema.ts";
import { realDisk } from "../../effects/disk.ts";
import { readJoined } from "../../effects/identity.ts";
import { lookAtText } from "../../effects/look.ts";
import type { RoleFacts, TrustFacts } from "../trust.ts";

/** The metadata on the disk, as it says of itself: nothing of it is believed here, and nothing is verified. */
export async function lookAtTrust(stateDir: string, now: number): Promise<TrustFacts> {
  const role = (name: string, schema: TSchema) =>
    lookAtRole(join(stateDir, "tuf/current", `${name}.json`), schema);
  const joined = await readJoined(realDisk, stateDir);
  return {
    joined: joined.ok || joined.error.code !== "not-joined",
    pinned: await lookAtRole(join(stateDir, "root.json"), RootMetadata),
    root: await role("root", RootMetadata),
    targets: await role("targets", TargetsMetadata),
    snapshot: await role("snapshot", SnapshotMetadata),
    timestamp: await role("timestamp", TimestampMetadata),
    now,
  };
}

async function lookAtRole(path: string, schema: TSchema): Promise<RoleFacts> {
  const text = await lookAtText(realDisk, path);
  if (text.kind === "missing") return { kind: "missing" };
  if (text.kind === "unreadable") return { kind: "torn", why: text.why };
  const parsed = parseJson(schema, text.value, path);
  if (!parsed.ok) return { kind: "torn", why: parsed.error.message };
  const { signed } = parsed.value as { signed: { version: number; expires: string } };
  return { kind: "found", version: signed.version, expires: Date.parse(signed.expires) };
}
