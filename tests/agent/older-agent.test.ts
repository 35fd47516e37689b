/**
 * An agent of one protocol version before, as it was shipped, under today's coordinator: it joins, updates itself by
 * lease and confirms; then it updates itself to today's agent, which speaks today's protocol.
 */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { zstdDecompressSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeBundle } from "../../cli/bundle/make.ts";
import { Service } from "../../examples/demo/service.ts";
import { build } from "../../packaging/bundle/build.ts";
import { PROTOCOL } from "../../protocol/frames.ts";
import type { Job, LogLine } from "../../protocol/job.ts";
import type { Node } from "../../protocol/node.ts";
import { run as runCoordinator } from "../../server-stub/cli.ts";
import { type Baton, baton } from "../cli/harness.ts";
import { startCoordinator, type TestCoordinator } from "../server-stub/harness/coordinator.ts";
import { PLATFORM } from "./built-release.ts";

const ROOT = join(import.meta.dirname, "../..");
const FIXTURE = join(ROOT, "tests/fixtures/agent-protocol-1/agent.mjs.zst");

let dir = "";
let old = "";
let coordinator: TestCoordinator;
let admin: Baton;
let service: Service | undefined;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "baton-older-"));
  old = join(dir, "agent.mjs");
  await writeFile(old, zstdDecompressSync(await readFile(FIXTURE)));
  coordinator = await startCoordinator();
  const { stateDir } = coordinator.config;
  admin = baton({
    env: {
      BATON_URL: coordinator.url,
      BATON_TOKEN_FILE: join(stateDir, "admin.token"),
      BATON_KEYS: join(dir, "keys"),
      BATON_PASSPHRASE: "correct horse battery",
    },
  });
  const keys = await admin("keys", "init");
  const { file } = await admin.json<{ file: string }>("keys", "sign", join(stateDir, "key-request.json"));
  const world = { print: () => undefined, say: () => undefined, becomeOwnerOf: async () => undefined };
  const trusted = await runCoordinator(world, ["--state-dir", stateDir, "trust", file]);
  if (keys.status !== 0 || trusted !== 0) throw new Error(`the ceremony failed: ${keys.err}`);
});
afterAll(async () => {
  await service?.stop();
  await coordinator.stop();
  await rm(dir, { recursive: true });
});

/** A bundle whose entry is the `agent.mjs` in `from`. */
async function bundle(version: string, from: string): Promise<string> {
  const tree = join(dir, `tree-${version}`);
  await cp(from, tree, { recursive: true });
  const out = join(dir, `${version}.tar.zst`);
  const packed = await makeBundle({
    dir: tree,
    mode: { kind: "library", entry: "agent.mjs" },
    version,
    platform: PLATFORM,
    out,
    env: {},
    now: () => new Date(0),
  });
  if (!packed.ok) throw new Error(packed.error.message);
  return out;
}

async function oldBundle(version: string): Promise<string> {
  const from = join(dir, `old-${version}`);
  await mkdir(from);
  await cp(old, join(from, "agent.mjs"));
  await writeFile(join(from, "release.txt"), version);
  return bundle(version, from);
}

const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
  const answer = await coordinator.call(method, path, body === undefined ? {} : { body });
  expect([path, answer.status, answer.status < 300 ? "" : answer.body]).toEqual([
    path,
    expect.any(Number),
    "",
  ]);
  return answer.body as T;
};

/** Starts a job on the node and waits for its end. */
async function job(nodeId: string, kind: "update" | "diagnose", body = {}): Promise<Job> {
  const { jobId } = await call<{ jobId: string }>("POST", `/v1/nodes/${nodeId}/${kind}`, body);
  let last: Job | undefined;
  await expect
    .poll(
      async () => {
        last = await call<Job>("GET", `/v1/jobs/${jobId}`);
        return last.endedAt;
      },
      { interval: 20, timeout: 40_000 },
    )
    .not.toBeNull();
  if (last === undefined) throw new Error("there is no such job");
  return last;
}

const sessions = () => coordinator.logged.filter(({ msg }) => msg === "session opened");

test("an agent of protocol 1 joins, updates itself twice, and is today's agent in the end", async () => {
  const home = join(dir, "home");
  await mkdir(home);
  const configFile = join(dir, "agent.toml");
  await writeFile(
    configFile,
    `state_dir = "${home}"\ncontrol_socket = "${dir}/run/control.sock"\n[session]\nreconnect_min_ms = 20\n[health]\nevery_ms = 200\n`,
  );
  await call("POST", "/v1/groups", { name: "web" });
  const token = await call<{ secret: string; rootFingerprint: string }>("POST", "/v1/join-tokens", {
    group: "web",
    autoApprove: true,
  });
  const env = { BATON_CONFIG: configFile, BATON_JOIN_TOKEN: token.secret };
  const agent = (...args: string[]) => promisify(execFile)(process.execPath, [old, ...args], { env });
  await agent("install", "--seed", await oldBundle("1.0.0"));
  await agent("join", coordinator.url, "--root-fingerprint", token.rootFingerprint, "--name", "old");
  service = new Service({
    guardDir: join(ROOT, "packaging/guard"),
    stateDir: home,
    runDir: join(dir, "run"),
    node: process.execPath,
    logFile: join(dir, "journal.log"),
    env: { BATON_CONFIG: configFile },
    restartMs: 20,
    timeoutStartMs: 20_000,
    timeoutStopMs: 5_000,
    deadlineEveryMs: 5_000,
  });
  await service.start();
  await coordinator.heard(({ msg }) => msg === "session opened");
  const node = async () => (await call<{ nodes: Node[] }>("GET", "/v1/nodes")).nodes[0];
  await expect
    .poll(async () => (await node())?.build?.version, { interval: 20, timeout: 30_000 })
    .toBe("1.0.0");
  const { id = "" } = (await node()) ?? {};
  expect(sessions().map(({ protocol }) => protocol)).toEqual([1]);
  // Nobody asks it what it cannot answer.
  expect((await coordinator.call("POST", `/v1/nodes/${id}/diagnose`, { body: {} })).body).toMatchObject({
    code: "not-supported",
  });

  expect(await admin("publish", await oldBundle("1.1.0"))).toMatchObject({ status: 0 });
  expect(await job(id, "update")).toMatchObject({ status: "succeeded", reason: null });
  expect((await node())?.build?.version).toBe("1.1.0");
  expect(new Set(sessions().map(({ protocol }) => protocol))).toEqual(new Set([1]));

  const [today] = await build(["agent"]);
  expect(await admin("publish", await bundle("2.0.0", today?.dir ?? ""))).toMatchObject({ status: 0 });
  expect(await job(id, "update", { release: "2.0.0" })).toMatchObject({ status: "succeeded", reason: null });
  expect((await node())?.build?.version).toBe("2.0.0");
  expect(sessions().at(-1)).toMatchObject({ protocol: PROTOCOL });

  const diagnosis = await job(id, "diagnose");
  const { lines } = await call<{ lines: LogLine[] }>("GET", `/v1/jobs/${diagnosis.id}/log`);
  const said = lines.map(({ text }) => text);
  expect(said[0]).toMatch(/^agent doctor: /);
  expect(said.join("\n")).toMatch(/ok {6}versions {5}This is 2\.0\.0/);
  expect(said.at(-1)).toBe("That was all.");
  expect(said.join("\n")).not.toContain("baton_node_");
  expect(diagnosis.reason?.message ?? "").not.toContain("coordinator");
}, 120_000);
