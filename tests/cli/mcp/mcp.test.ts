/** The SDK's own client, against `baton mcp` in a process of its own, against a real coordinator and its nodes. */
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import type { Progress } from "@modelcontextprotocol/sdk/types.js";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { STEPS } from "../../../protocol/job.ts";
import type { RolloutPlan } from "../../../protocol/plan.ts";
import type { RolloutSummary } from "../../../protocol/rollout.ts";
import { uploadPath } from "../../../protocol/trust.ts";
import { startCoordinator, type TestCoordinator } from "../../server-stub/harness/coordinator.ts";
import { type FrameNode, startFrameNode } from "../../server-stub/harness/frame-node.ts";
import { joinNode } from "../../server-stub/harness/node.ts";
import { Publisher } from "../../trust/publisher.ts";

const MAIN = join(import.meta.dirname, "../../../cli/main.ts");

type Called = {
  readonly isError?: boolean;
  readonly content: readonly { readonly text: string }[];
  readonly structuredContent?: Record<string, unknown>;
};

describe("an assistant", () => {
  let coordinator: TestCoordinator;
  let publisher: Publisher;
  const nodes: FrameNode[] = [];
  const clients: Client[] = [];
  let client: Client;

  const connect = async (args: readonly string[] = [], env: Record<string, string> = {}): Promise<Client> => {
    const made = new Client({ name: "test", version: "1" });
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [MAIN, "mcp", ...args],
      env: {
        BATON_URL: coordinator.url,
        BATON_TOKEN_FILE: join(coordinator.config.stateDir, "admin.token"),
        HOME: "/nonexistent",
        ...env,
      },
      stderr: "pipe",
    });
    await made.connect(transport);
    clients.push(made);
    // From here on every answer is compared with its tool's output schema.
    await made.listTools();
    return made;
  };

  const publish = async (version: string): Promise<void> => {
    const { sha256, content } = publisher.bundle(version);
    const response = await fetch(`${coordinator.url}${uploadPath(sha256)}`, {
      method: "PUT",
      body: new Uint8Array(content),
      headers: {
        authorization: `Bearer ${coordinator.adminToken}`,
        "content-type": "application/octet-stream",
      },
    });
    if (!response.ok) throw new Error(`The upload of ${version} was answered with ${response.status}.`);
    const targets = publisher.sign(version);
    const expectedTargetsVersion = targets.signed.version - 1;
    const published = await coordinator.call("POST", "/v1/releases", {
      body: { targets, expectedTargetsVersion },
    });
    expect(published.status).toBeLessThan(300);
    publisher.targets = targets;
  };

  const buildOf = (version: string) => {
    const { buildHash } = publisher.bundle(version).versionJson;
    return { version, buildHash };
  };

  /** Everybody has been heard and is well. */
  const untilServing = async (group: string, count: number): Promise<void> => {
    await vi.waitFor(
      async () => {
        const { body } = await coordinator.call("GET", `/v1/nodes?group=${group}`);
        const serving = (body.nodes as { serving: boolean }[]).filter((node) => node.serving);
        expect(serving).toHaveLength(count);
      },
      { timeout: 30_000 },
    );
  };

  beforeAll(async () => {
    coordinator = await startCoordinator();
    publisher = Publisher.at(coordinator.config.stateDir);
    publisher.now = Date.now();
    const updates = [{ root: await publisher.ceremony() }];
    const trusted = await coordinator.call("POST", "/v1/trust", { body: { updates } });
    if (trusted.status >= 300) throw new Error(`The root was answered with ${trusted.status}.`);
    for (const version of ["1.0.0", "1.1.0"]) await publish(version);
    for (const [group, mode] of [
      ["db", "quorum"],
      ["bad", "quorum"],
    ] as const) {
      await coordinator.call("POST", "/v1/groups", { body: { name: group, mode } });
      for (const name of [1, 2, 3].map((number) => `${group}-${number}`)) {
        const node = await joinNode(coordinator, { group, name });
        const fails = group === "bad";
        nodes.push(startFrameNode(coordinator, node, buildOf("1.0.0"), { group, fails }));
      }
      await untilServing(group, 3);
    }
    client = await connect();
  });
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await Promise.all(nodes.map((node) => node.stop()));
    await coordinator.stop();
  });

  const call = async (
    by: Client,
    name: string,
    args: Record<string, unknown> = {},
    options: { onprogress?: (progress: Progress) => void; signal?: AbortSignal } = {},
  ) =>
    (await by.callTool({ name, arguments: args }, undefined, {
      resetTimeoutOnProgress: true,
      ...options,
    })) as unknown as Called;

  const DB = { selection: { groups: ["db"] } };

  test("is told which tools there are, and truly what each does", async () => {
    expect(client.getInstructions()).toContain("dry run");
    const { tools } = await client.listTools();
    const hints = tools.map(({ name, annotations }) => [
      name,
      annotations?.readOnlyHint,
      annotations?.destructiveHint,
      annotations?.idempotentHint,
      annotations?.openWorldHint,
    ]);
    expect(hints).toEqual([
      ["initiate_rolling_update", false, true, false, false],
      ["rollout_status", true, false, true, false],
      ["list_nodes", true, false, true, false],
      ["preflight", true, false, true, false],
      ["cancel_rollout", false, true, true, false],
    ]);
    for (const { inputSchema, outputSchema } of tools) {
      expect(inputSchema).toMatchObject({ type: "object", additionalProperties: false });
      expect(outputSchema).toMatchObject({ type: "object" });
    }
  });

  test("sees the fleet, and plans without changing anything", async () => {
    const listed = await call(client, "list_nodes", { group: "db", limit: 2 });
    expect(listed.structuredContent).toMatchObject({ total: 3 });
    expect(listed.structuredContent?.nodes).toHaveLength(2);
    const checked = await call(client, "preflight", DB);
    const plan = checked.structuredContent as RolloutPlan;
    expect(plan).toMatchObject({ startable: true, release: "1.1.0" });
    expect(checked.content[0]?.text).toContain("✓ quorum");
    const dry = await call(client, "initiate_rolling_update", DB);
    expect(dry.structuredContent).toMatchObject({
      success: true,
      dryRun: true,
      error: null,
      planHash: plan.hash,
      nodesUpdated: [],
      rolloutId: null,
    });
    expect((await coordinator.call("GET", "/v1/rollouts")).body.rollouts).toEqual([]);
  });

  test("cannot start without the hash of the plan, nor by that of another", async () => {
    const without = await call(client, "initiate_rolling_update", { ...DB, dryRun: false });
    expect(without).toMatchObject({ isError: true, structuredContent: { success: false, rolloutId: null } });
    expect(without.content[0]?.text).toMatch(/^plan-needed: .*dryRun true first/);
    const other = await call(client, "initiate_rolling_update", {
      ...DB,
      dryRun: false,
      planHash: "0".repeat(64),
    });
    expect(other.isError).toBe(true);
    expect(other.content[0]?.text).toMatch(/^plan-changed: /);
    const nobody = await call(client, "preflight", { selection: { groups: ["nobody"] } });
    expect(nobody).toMatchObject({
      isError: true,
      content: [{ text: "not-found: There is no group nobody. Look for it with `baton groups`." }],
    });
    const malformed = await call(client, "list_nodes", { limit: 0 });
    expect(malformed.content[0]?.text).toMatch(
      /^malformed: The arguments of list_nodes do not fit: \/limit /,
    );
    expect((await coordinator.call("GET", "/v1/rollouts")).body.rollouts).toEqual([]);
  });

  test("starts what was planned, and is told step by step until it is over", async () => {
    const dry = await call(client, "initiate_rolling_update", DB);
    const heard: Progress[] = [];
    const done = await call(
      client,
      "initiate_rolling_update",
      { ...DB, dryRun: false, planHash: dry.structuredContent?.planHash },
      { onprogress: (progress) => heard.push(progress) },
    );
    expect(done.structuredContent).toMatchObject({
      success: true,
      dryRun: false,
      nodesUpdated: expect.toSatisfy((names: string[]) => names.toSorted().join() === "db-1,db-2,db-3"),
      nodesRolledBack: [],
      error: null,
      status: "completed",
    });
    expect(nodes.slice(0, 3).map(({ build }) => build.version)).toEqual(["1.1.0", "1.1.0", "1.1.0"]);
    for (const name of ["db-1", "db-2", "db-3"]) {
      expect(heard.some(({ message }) => message?.includes(name))).toBe(true);
    }
    const values = heard.map(({ progress }) => progress);
    expect(values).toEqual([...new Set(values)].toSorted((a, b) => a - b));
    expect(heard.every(({ progress, total }) => progress <= (total ?? 0))).toBe(true);
    const { progress = [] } = (done.structuredContent ?? {}) as { progress?: { step: string | null }[] };
    const steps = progress.map(({ step }) => step);
    expect(steps[0]).toBe("preflight");
    expect(steps.filter((step) => step === "complete")).toHaveLength(3);
    expect(steps.filter((step) => step !== null && !STEPS.some((each) => each === step))).toEqual([]);
    const status = await call(client, "rollout_status");
    expect(status.structuredContent).toMatchObject({
      rollout: { id: done.structuredContent?.rolloutId, status: "completed" },
      moreNodes: 0,
    });
  });

  test("is told of a node that went back, and that the rest stayed as it was", async () => {
    const order = { selection: { groups: ["bad"] } };
    const { structuredContent: dry } = await call(client, "initiate_rolling_update", order);
    const done = await call(client, "initiate_rolling_update", {
      ...order,
      dryRun: false,
      planHash: dry?.planHash,
    });
    expect(done.isError).toBeUndefined();
    // Which of them was ready first is theirs to say.
    const [back = "nobody"] = (done.structuredContent?.nodesRolledBack ?? []) as string[];
    expect(done.structuredContent).toMatchObject({
      success: false,
      nodesUpdated: [],
      nodesRolledBack: [expect.stringMatching(/^bad-[123]$/)],
      status: "halted",
      error: expect.stringContaining(back),
    });
  });

  test("stops waiting when it cancels its call, and the rollout goes on; then it cancels that", async () => {
    await coordinator.call("POST", "/v1/groups", { body: { name: "idle", mode: "quorum" } });
    for (const name of ["idle-1", "idle-2", "idle-3"]) {
      const node = await joinNode(coordinator, { group: "idle", name });
      nodes.push(startFrameNode(coordinator, node, buildOf("1.0.0"), { group: "idle", idles: true }));
    }
    await untilServing("idle", 3);
    const order = { selection: { groups: ["idle"] } };
    const { structuredContent: dry } = await call(client, "initiate_rolling_update", order);
    const enough = new AbortController();
    const waiting = call(
      client,
      "initiate_rolling_update",
      { ...order, dryRun: false, planHash: dry?.planHash },
      { signal: enough.signal, onprogress: () => enough.abort() },
    );
    await expect(waiting).rejects.toThrow("abort");
    const { structuredContent: seen = {} } = await call(client, "rollout_status");
    const { id, status } = seen.rollout as RolloutSummary;
    expect(status).toBe("running");
    const ended = await call(client, "cancel_rollout", { rolloutId: id });
    expect(ended.structuredContent).toMatchObject({ id, status: "cancelled" });
    expect((await call(client, "cancel_rollout", { rolloutId: id })).structuredContent).toMatchObject({ id });
  });

  test("has only the tools that it was given, and is told when there is no coordinator", async () => {
    const other = await connect(["--tools", "list_nodes,rollout_status"], {
      BATON_URL: "http://127.0.0.1:9",
    });
    expect((await other.listTools()).tools.map(({ name }) => name)).toEqual(["rollout_status", "list_nodes"]);
    const refused = await call(other, "cancel_rollout", { rolloutId: "r-000000000000" });
    expect(refused).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining("unknown-tool: There is no tool cancel_rollout") }],
    });
    const away = await call(other, "list_nodes");
    expect(away).toMatchObject({
      isError: true,
      content: [{ text: expect.stringMatching(/^unreachable: /) }],
    });
  });
});
