import { generateKeyPairSync } from "node:crypto";
import { chown, mkdir, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { realDisk } from "../../agent/effects/disk.ts";
import { readJoined } from "../../agent/effects/identity.ts";
import { joinCoordinator } from "../../agent/join.ts";
import { createNetwork } from "../../agent/session/network.ts";
import {
  metadataText,
  publicKeyOf,
  type RootSigned,
  rootFingerprint,
  SPEC_VERSION,
  signerOf,
  signMetadata,
} from "../../protocol/metadata.ts";
import { type PlainServer, problem, startPlainServer } from "./plain-server.ts";

const signer = signerOf(generateKeyPairSync("ed25519").privateKey);
const role = { keyids: [signer.keyid], threshold: 1 };
const root: RootSigned = {
  _type: "root",
  spec_version: SPEC_VERSION,
  version: 1,
  expires: "2999-01-01T00:00:00Z",
  consistent_snapshot: true,
  keys: { [signer.keyid]: publicKeyOf(signer.privateKey) },
  roles: { root: role, targets: role, snapshot: role, timestamp: role },
};
const signed = signMetadata(root, [signer]);
const FINGERPRINT = rootFingerprint(signed);
const REPLY = {
  nodeId: "n-0123456789ab",
  name: "one",
  group: "etcd",
  credential: "credential-0123456789",
  membership: "pending",
};

let home = "";
let stateDir = "";
let server: PlainServer;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "baton-join-"));
  stateDir = join(home, "state");
  server = await startPlainServer();
  server.routes.set("GET /tuf/metadata/1.root.json", () => ({ status: 200, body: metadataText(signed) }));
  server.routes.set("POST /v1/join", () => ({ status: 201, body: REPLY }));
});
afterEach(async () => {
  await server.stop();
  await rm(home, { recursive: true });
});

const joinWith = (more: Partial<Parameters<typeof joinCoordinator>[0]> = {}) =>
  joinCoordinator({
    url: server.url,
    token: "join-token",
    rootFingerprint: FINGERPRINT,
    name: "one",
    insecureHttp: false,
    force: false,
    network: createNetwork({ caFile: null }),
    disk: realDisk,
    stateDir,
    ...more,
  });

describe("joining", () => {
  it("keeps the credential to itself, pins the root, and says who this node is now", async () => {
    if (process.getuid?.() === 0) await chown(home, 4_711, 4_712);
    const joined = await joinWith({ rootFingerprint: FINGERPRINT.toUpperCase() });
    const { credential, ...said } = REPLY;
    expect(joined).toEqual({ ok: true, value: { ...said, server: server.url } });
    expect(server.asked("POST /v1/join")).toEqual([{ token: "join-token", name: "one" }]);
    const read = await readJoined(realDisk, stateDir);
    expect(read).toMatchObject({ ok: true, value: { identity: { nodeId: REPLY.nodeId, credential } } });
    expect(await readFile(join(stateDir, "root.json"), "utf8")).toBe(metadataText(signed));
    const kept = await stat(join(stateDir, "node.json"));
    expect(kept.mode & 0o777).toBe(0o600);
    expect([kept.uid, kept.gid]).toEqual(await stat(home).then(({ uid, gid }) => [uid, gid]));
  });

  it("shows the token to nobody whose root is another one", async () => {
    const joined = await joinWith({ rootFingerprint: "0".repeat(64) });
    expect(joined).toMatchObject({ ok: false, error: { code: "bad-root" } });
    expect(server.asked("POST /v1/join")).toEqual([]);
    expect(await readdir(home)).toEqual([]);
  });

  it("is refused a second time, unless forced", async () => {
    await joinWith();
    expect(await joinWith()).toMatchObject({ ok: false, error: { code: "already-joined" } });
    expect(server.asked("POST /v1/join")).toHaveLength(1);
    server.routes.set("POST /v1/join", () => ({ status: 201, body: { ...REPLY, nodeId: "n-ba9876543210" } }));
    expect(await joinWith({ force: true })).toMatchObject({ ok: true, value: { nodeId: "n-ba9876543210" } });
  });

  it("mends a torn node.json without being forced", async () => {
    await mkdir(stateDir);
    await realDisk.open(join(stateDir, "node.json"), "create").then((file) => file.close());
    expect(await readJoined(realDisk, stateDir)).toMatchObject({
      ok: false,
      error: { code: "node-json-torn" },
    });
    expect(await joinWith()).toMatchObject({ ok: true });
  });

  it("gives the coordinator's refusal as it is, and writes nothing", async () => {
    const body = problem(403, "join-token-invalid", "The token was used up.");
    server.routes.set("POST /v1/join", () => ({ status: 403, body }));
    const joined = await joinWith();
    expect(joined).toMatchObject({ ok: false, error: { code: "join-token-invalid", message: body.detail } });
    expect(await readdir(home)).toEqual([]);
  });

  it.each([
    ["plain HTTP to another machine", { url: "http://192.0.2.1:8080" }, "insecure"],
    ["what is no address", { url: "coordinator" }, "malformed"],
    ["a fingerprint that is none", { rootFingerprint: "abc" }, "malformed"],
    ["a name that is none", { name: "no name" }, "malformed"],
    ["an empty token", { token: "" }, "malformed"],
  ])("refuses %s before anything is sent", async (_what, more, code) => {
    expect(await joinWith(more)).toMatchObject({ ok: false, error: { code } });
    expect(server.requests).toEqual([]);
  });

  it("says so when nobody answers", async () => {
    const joined = await joinWith({ url: "http://127.0.0.1:1" });
    expect(joined).toMatchObject({ ok: false, error: { code: "unreachable" } });
  });
});
