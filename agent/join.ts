/**
 * Joining a coordinator: the root that is fetched must have the fingerprint that the operator gave, only then is
 * the join token shown to anybody. What is written is a credential of this node's own.
 */
import { stat } from "node:fs/promises";
import { dirname, join as joinPath } from "node:path";
import { JoinReply } from "../protocol/access.ts";
import { NodeName } from "../protocol/names.ts";
import { parse } from "../protocol/parse.ts";
import { err, type Fault, ok, type Result } from "../protocol/result.ts";
import type { DurationMs } from "../protocol/time.ts";
import { TUF_METADATA_PATH } from "../protocol/trust.ts";
import type { Disk } from "./effects/disk.ts";
import { readJoined, writeJoined } from "./effects/identity.ts";
import { createAddresses, parseAddress } from "./session/addresses.ts";
import { createHttpClient } from "./session/http-client.ts";
import type { Network } from "./session/network.ts";

export type JoinOptions = {
  readonly url: string;
  readonly token: string;
  /** SHA-256 of the root, hex, as the coordinator's operator was told it. */
  readonly rootFingerprint: string;
  readonly name: string;
  readonly insecureHttp: boolean;
  readonly force: boolean;
  readonly network: Network;
  readonly disk: Disk;
  /** `/var/lib/baton-agent/state`. */
  readonly stateDir: string;
};

export type JoinedAs = Omit<JoinReply, "credential"> & { readonly server: string };

const JOIN_TIMEOUT_MS: DurationMs = 30_000;

/**
 * Joins, and writes `node.json` and `root.json` when the coordinator has taken this node in. Nothing is written
 * otherwise. Errors: `malformed`, `insecure`, `already-joined`, `bad-root` and others of the trust, and the
 * coordinator's own (`join-token-invalid`, `name-taken`, …).
 */
export async function joinCoordinator(options: JoinOptions): Promise<Result<JoinedAs, Fault>> {
  const { disk, stateDir, network } = options;
  const server = parseAddress(options.url, { allowInsecure: options.insecureHttp });
  if (!server.ok) return server;
  const wanted = checkWords(options);
  if (!wanted.ok) return wanted;
  const already = await readJoined(disk, stateDir);
  if (already.ok && !options.force) {
    const { name, servers } = already.value.identity;
    return err({
      code: "already-joined",
      message: `This node has joined ${servers[0]} as ${name}. Nothing was changed.`,
      hint: "To join anew, under a new id, say --force; remove the old node at its coordinator.",
    });
  }
  const { fingerprint, name } = wanted.value;
  const pinnedRoot = await fetchRoot(server.value, fingerprint, network);
  if (!pinnedRoot.ok) return pinnedRoot;
  const reply = await askToJoin(server.value, network, { token: options.token, name });
  if (!reply.ok) return reply;
  const { credential, ...said } = reply.value;
  const { nodeId, group } = said;
  const identity = {
    format: 1 as const,
    servers: [server.value],
    nodeId,
    name: said.name,
    group,
    credential,
  };
  await asOwnerOf(dirname(stateDir), () =>
    writeJoined(disk, stateDir, { pinnedRoot: pinnedRoot.value, identity }),
  );
  return ok({ ...said, server: server.value });
}

function checkWords(options: JoinOptions): Result<{ fingerprint: string; name: string }, Fault> {
  const fingerprint = options.rootFingerprint.toLowerCase().replaceAll(":", "");
  if (!/^[0-9a-f]{64}$/.test(fingerprint)) {
    return err({
      code: "malformed",
      message: `${options.rootFingerprint} is not a root fingerprint.`,
      hint: "It is 64 hexadecimal digits; the coordinator's operator has it from `baton tokens join`.",
    });
  }
  const name = parse(NodeName, options.name, `The name ${JSON.stringify(options.name)}`);
  if (!name.ok) {
    return err({
      ...name.error,
      message: `${JSON.stringify(options.name)} cannot be a node's name.`,
      hint: "Give one with --name: letters, digits, dots, dashes and underscores, at most 64.",
    });
  }
  if (options.token === "")
    return err({
      code: "malformed",
      message: "The join token is empty.",
      hint: "Give it by --token-file FILE, in BATON_JOIN_TOKEN, or by --token-file - on standard input.",
    });
  return ok({ fingerprint, name: name.value });
}

async function fetchRoot(
  server: string,
  fingerprint: string,
  network: Network,
): Promise<Result<Uint8Array, Fault>> {
  const [dispatcher, { fetchPinnedRoot }, { fetchWith }] = await Promise.all([
    network.openDispatcher(),
    import("./effects/trust/pin.ts"),
    import("./effects/trust/fetch.ts"),
  ]);
  try {
    return await fetchPinnedRoot({
      metadataUrl: `${server}${TUF_METADATA_PATH}`,
      fetch: fetchWith(dispatcher),
      timeoutMs: JOIN_TIMEOUT_MS,
      fingerprint,
    });
  } finally {
    await dispatcher.close();
  }
}

async function askToJoin(
  server: string,
  network: Network,
  body: { token: string; name: string },
): Promise<Result<JoinReply, Fault>> {
  const http = createHttpClient({ addresses: createAddresses([server]), credential: null, network });
  try {
    const answer = await http.call({ method: "POST", path: "/v1/join", body, timeoutMs: JOIN_TIMEOUT_MS });
    return answer.ok ? parse(JoinReply, answer.value, "The coordinator's answer to the join") : answer;
  } finally {
    await http.close();
  }
}

/**
 * The service does not run as root. What root writes for it is made by whom the agent's home belongs to from the
 * first byte on: a running agent looks while it is written, and must be able to read what it finds.
 */
async function asOwnerOf(home: string, write: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return await write();
  const { uid, gid } = await stat(home);
  process.setegid?.(gid);
  process.seteuid?.(uid);
  try {
    await write();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
}

/** Where the state of an agent is, below the directory that its settings name. */
export const stateDirOf = (home: string): string => joinPath(home, "state");
