/**
 * What a backup says of itself: the first member of the archive, `manifest.json`, with the SHA-256 of every other. A
 * backup is a tar archive under zstd: `coordinator.db`, `repository/metadata/…`, `keys/…`, `repository/targets/…`.
 */
import { parseJson } from "../../protocol/parse.ts";
import type { Result } from "../../protocol/result.ts";
import { nullable, type Static, Type } from "../../protocol/schema.ts";

export const MANIFEST = "manifest.json";
export const DATABASE = "coordinator.db";
/** Of this program; later ones may read more. */
export const BACKUP_FORMAT = 1;

export const BackupManifest = Type.Object(
  {
    format: Type.Literal(BACKUP_FORMAT),
    /** Version of the coordinator that made it. */
    version: Type.String(),
    madeAt: Type.Integer(),
    tokenEpoch: Type.Integer(),
    /** Of the settings that the coordinator ran with: another hash, other settings. */
    settingsSha256: Type.String(),
    /** The versions of the signed metadata; null for what there was none of. */
    root: nullable(Type.Integer()),
    targets: nullable(Type.Integer()),
    snapshot: nullable(Type.Integer()),
    timestamp: nullable(Type.Integer()),
    keys: Type.Boolean(),
    bundles: Type.Boolean(),
    members: Type.Array(
      Type.Object({
        path: Type.String({
          pattern:
            "^(coordinator\\.db|keys/(snapshot|timestamp)-[0-9a-f]{64}\\.pem|repository/withdrawn\\.json|repository/metadata/(timestamp|[1-9]\\d{0,15}\\.(root|targets|snapshot))\\.json|repository/targets/[A-Za-z0-9][A-Za-z0-9.+-]{0,127}/[0-9a-f]{64}\\.[A-Za-z0-9][A-Za-z0-9._+-]{0,160})$",
        }),
        bytes: Type.Integer({ minimum: 0 }),
        sha256: Type.String({ pattern: "^[0-9a-f]{64}$" }),
      }),
      { maxItems: 1_000_000 },
    ),
  },
  { title: "BackupManifest" },
);
export type BackupManifest = Static<typeof BackupManifest>;
export type BackupMember = BackupManifest["members"][number];

/** Reads a manifest. Error: `malformed`. */
export const readManifest = (text: string): Result<BackupManifest, { code: string; message: string }> =>
  parseJson(BackupManifest, text, "The backup's manifest");
