import { join } from "node:path";
import { GroupName, NodeId, NodeName } from "../../protocol/names.ts";
import { parseJson } from "../../protocol/parse.ts";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import { type Static, Type } from "../../protocol/schema.ts";
import type { Disk } from "./disk.ts";
import { hasCode, makeDirDurably, writeDurably } from "./durable.ts";

/** `state/node.json`: who this node is to its coordinator. It holds the credential, so only its owner may read it. */
export const NodeIdentity = Type.Object(
  {
    format: Type.Literal(1),
    /** Addresses of the coordinator, as joined; the settings may name others. */
    servers: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }),
    nodeId: NodeId,
    name: NodeName,
    group: GroupName,
    credential: Type.String({ minLength: 1 }),
  },
  { additionalProperties: false, title: "NodeIdentity" },
);
export type NodeIdentity = Static<typeof NodeIdentity>;

/** What a node was given when it joined: who it is, and the root that all trust begins at, as bytes. */
export type Joined = { readonly identity: NodeIdentity; readonly pinnedRoot: Uint8Array };

export type IdentityFault = Fault<"not-joined" | "node-json-torn" | "root-missing">;

const NODE_JSON = "node.json";
const ROOT_JSON = "root.json";

/**
 * Reads `node.json` and `root.json` below `stateDir`, such as `/var/lib/baton-agent/state`.
 * Errors: `not-joined`, `node-json-torn`, `root-missing`.
 */
export async function readJoined(disk: Disk, stateDir: string): Promise<Result<Joined, IdentityFault>> {
  const text = await readOrNull(disk, join(stateDir, NODE_JSON));
  if (text === null) {
    return err({
      code: "not-joined",
      message: "This node has not joined a coordinator.",
      hint: "Run the line that `baton tokens join` prints: agent join URL --root-fingerprint HEX.",
    });
  }
  const identity = parseJson(NodeIdentity, text.toString("utf8"), join(stateDir, NODE_JSON));
  if (!identity.ok) {
    return err({
      code: "node-json-torn",
      message: identity.error.message,
      hint: "What runs goes on running. Join again: agent join --force.",
    });
  }
  const pinnedRoot = await readOrNull(disk, join(stateDir, ROOT_JSON));
  if (pinnedRoot === null) {
    return err({
      code: "root-missing",
      message: `${join(stateDir, ROOT_JSON)} is missing, so that no release can be verified.`,
      hint: "What runs goes on running. Join again: agent join --force.",
    });
  }
  return ok({ identity: identity.value, pinnedRoot });
}

/** Writes both durably; `node.json` last, so that a node that has it has joined. */
export async function writeJoined(disk: Disk, stateDir: string, joined: Joined): Promise<void> {
  await makeDirDurably(disk, stateDir, 0o700);
  await writeDurably(disk, join(stateDir, ROOT_JSON), joined.pinnedRoot, 0o644);
  await writeDurably(disk, join(stateDir, NODE_JSON), `${JSON.stringify(joined.identity, null, 2)}\n`, 0o600);
}

async function readOrNull(disk: Disk, path: string): Promise<Buffer | null> {
  try {
    return Buffer.from(await disk.readFile(path));
  } catch (cause) {
    if (hasCode(cause, "ENOENT") || hasCode(cause, "ENOTDIR")) return null;
    throw cause;
  }
}
