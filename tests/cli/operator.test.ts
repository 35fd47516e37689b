import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Alert } from "../../protocol/alert.ts";
import type { Build } from "../../protocol/build.ts";
import type { Node } from "../../protocol/node.ts";
import type { RolloutPlan } from "../../protocol/plan.ts";
import type { Rollout, RolloutSummary } from "../../protocol/rollout.ts";
import type { TestCoordinator } from "../server-stub/harness/coordinator.ts";
import { type FrameNode, startFrameNode } from "../server-stub/harness/frame-node.ts";
import { joinNode } from "../server-stub/harness/node.ts";
import { type Baton, baton } from "./harness.ts";
import { type Publisher, startPublisher } from "./publisher.ts";

const SHOW_CURSOR = "\u001b[?25h";
const HIDE_CURSOR = "\u001b[?25l";

const old: Build = { version: "0.9.0", buildHash: "9".repeat(64) };

/** The whole of an operator's day, by the commands that the README names, on a real coordinator. */
describe("baton, from the first key to a rollout that halts", () => {
  let at: Publisher;
  let coordinator: TestCoordinator;
  let admin: Baton;
  let env: Readonly<Record<string, string>>;
  const nodes: FrameNode[] = [];
  const bundleOf = (version: string) => at.bundles[version] ?? { file: "", build: old };
  const operate = (...argv: readonly string[]) => at.operate(...argv);

  beforeAll(async () => {
    at = await startPublisher(["1.0.0", "1.1.0"]);
    ({ coordinator, admin, env } = at);
  });
  afterAll(async () => {
    await Promise.all(nodes.map((each) => each.stop()));
    await at.stop();
  });

  test("the ceremony: keys, the coordinator's request, the answer", async () => {
    expect(await admin("publish", bundleOf("1.0.0").file)).toMatchObject({ status: 1 });
    expect(await admin("keys", "init")).toMatchObject({ status: 0 });
    const request = join(coordinator.config.stateDir, "key-request.json");
    const { file } = await admin.json<{ file: string }>("keys", "sign", request);
    const trusted = await operate("trust", file);
    expect(trusted).toMatchObject({
      status: 0,
      text: expect.stringMatching(/Root version 1 is trusted.*\n[0-9a-f]{64}$/s),
    });
  });

  test("a release is published, once, and listed", async () => {
    const published = await admin("publish", bundleOf("1.0.0").file);
    expect(published).toMatchObject({
      status: 0,
      out: expect.stringContaining("Published 1.0.0 for linux-x64"),
    });
    const releases = await admin("releases");
    expect(releases.out).toMatch(/VERSION.*\n1\.0\.0\s+linux-x64/);
  });

  test("a group and its nodes, by a line that joins them", async () => {
    expect(await admin("groups", "create", "db", "--mode", "quorum")).toMatchObject({ status: 0 });
    expect(await admin("groups", "create", "db")).toMatchObject({
      status: 5,
      err: expect.stringContaining("db"),
    });
    const line = await admin("tokens", "join", "--group", "db", "--uses", "3");
    expect(line.out).toMatch(/^BATON_JOIN_TOKEN=\S+ agent join http:\S+ --root-fingerprint [0-9a-f]{64}\n$/);
    for (const name of ["db-1", "db-2", "db-3"]) {
      const node = await joinNode(coordinator, { group: "db", name, autoApprove: name !== "db-3" });
      nodes.push(startFrameNode(coordinator, node, old, { group: "db" }));
    }
    expect((await admin("nodes")).out).toMatch(/db-3.*waits for approval/);
    expect(await admin("nodes", "approve", "db-3")).toMatchObject({ status: 0, out: "db-3 is approved.\n" });
    const all = await admin.json<Node[]>("nodes", "list", "--group", "db");
    expect(all.map(({ name, membership }) => [name, membership])).toEqual([
      ["db-1", "approved"],
      ["db-2", "approved"],
      ["db-3", "approved"],
    ]);
  });

  test("nothing is rolled out to a group that nobody knows, or that somebody is at already", async () => {
    expect(await admin("rollout", "start", "--group", "nobody", "--yes")).toMatchObject({ status: 1 });
    expect(await admin("rollout", "start")).toMatchObject({ status: 2 });
    expect(await admin("rollout", "start", "--group", "db", "--release", "7.7.7", "--yes")).toMatchObject({
      status: 1,
      err: expect.stringContaining("no-release"),
    });
  });

  test("a dry run says what would be done; nothing is, and what stands in the way is told", async () => {
    await serving(3);
    const plan = await admin("rollout", "plan", "--group", "db", "--stages", "50,100");
    expect(plan).toMatchObject({
      status: 0,
      out: expect.stringMatching(/^plan → 1\.0\.0 {2}3 nodes in 1 group/),
    });
    expect(plan.out).toMatch(/✓ quorum\s+db: 3 voters, quorum 2/);
    expect(plan.out).toMatch(/db-1, db-2, db-3: 0\.9\.0 → 1\.0\.0/);
    expect(plan.out).toMatch(/plan [0-9a-f]{64}\n$/);
    const { hash } = await admin.json<RolloutPlan>("rollout", "start", "--group", "db", "--dry-run");
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    const single = ["rollout", "start", "--node", "db-1", "--plan", hash, "--yes"];
    expect(await admin(...single)).toMatchObject({ status: 5, err: expect.stringContaining("plan-changed") });
    const stages = ["rollout", "plan", "--group", "db", "--stages", "50,20,100"];
    expect(await admin(...stages)).toMatchObject({
      status: 1,
      err: expect.stringContaining("stages-out-of-order"),
    });
    expect(await admin("rollout", "list")).toMatchObject({ out: "No rollouts.\n" });
  });

  test("a start shows the plan and wants the number of nodes; a script has to say --yes", async () => {
    const script = await admin("rollout", "start", "--group", "db");
    expect(script).toMatchObject({
      status: 2,
      err: expect.stringMatching(
        /Bring 3 nodes to 1\.0\.0\? Nobody can be asked.*--yes.*the number of nodes: 3/s,
      ),
    });
    const wrong = await baton({ env, answer: "2" })("rollout", "start", "--group", "db");
    expect(wrong).toMatchObject({ status: 1, err: expect.stringContaining("Nothing was done.") });
    expect(wrong.err).toMatch(/plan → 1\.0\.0.*Type the number of nodes \(3\) to go on/s);
    const outage = await baton({ env, answer: "no" })("rollout", "start", "--group", "db", "--accept-outage");
    expect(outage.err).toContain("Type the word (outage) to go on");
    const ill = await baton({ env, answer: "no" })(
      "rollout",
      "start",
      "--group",
      "db",
      "--allow-unhealthy",
      "db-2",
    );
    expect(ill.err).toContain("Type the node's name (db-2) to go on");
    expect(await admin("rollout", "list")).toMatchObject({ out: "No rollouts.\n" });
  });

  test("a rollout is watched to its good end, line by line, and exits with 0", async () => {
    await serving(3);
    const watched = await admin("rollout", "start", "--group", "db", "--yes", "--watch", "--timeout", "30");
    expect(watched.err).toMatch(/rollout r-\w{12} → 1\.0\.0: 3 nodes in 1 group, 1 stage/);
    expect(watched.err).toMatch(/db-1: succeeded, runs 1\.0\.0/);
    expect(watched).toMatchObject({
      status: 0,
      out: expect.stringMatching(/^Rollout r-\w{12} completed: 3 of 3 nodes on 1\.0\.0\.\n$/),
    });
    for (const node of nodes) expect(node.build).toEqual(bundleOf("1.0.0").build);
    expect((await admin("groups", "show", "db")).out).toMatch(/lease\s+free/);
  });

  test("a node that cannot start the new build halts it, with exit 3 and the reason", async () => {
    const lost = await admin("publish", bundleOf("1.1.0").file, "--channel", "nowhere");
    expect(lost).toMatchObject({ status: 1, err: expect.stringContaining("nowhere") });
    expect((await admin("releases")).out).not.toContain("1.1.0");
    await admin("channels", "set", "beta");
    const published = await admin("publish", bundleOf("1.1.0").file, "--channel", "beta");
    expect(published.out).toMatch(/^Published 1\.1\.0.*\nbeta is at 1\.1\.0\.\n$/);
    for (const [index, node] of nodes.entries()) {
      await node.stop();
      nodes[index] = startFrameNode(coordinator, node.node, node.build, { group: "db", fails: true });
    }
    await serving(3);
    const screens: string[] = [];
    const watching = baton({ env, isTerminal: true, onErr: (text) => screens.push(text) });
    const halted = await watching(
      "rollout",
      "start",
      "--group",
      "db",
      "--release",
      "1.1.0",
      "--yes",
      "--watch",
      "--timeout",
      "30",
    );
    expect(halted.status).toBe(3);
    expect(halted.err).toContain("The new build did not start.");
    expect(screens.join("")).toMatch(/stage 1 · 100 %/);
    const [newest] = await admin.json<RolloutSummary[]>("rollout", "list");
    expect(newest).toMatchObject({ status: "halted", release: "1.1.0" });
    const rollout = await admin.json<Rollout>("rollout", "status", newest?.id ?? "");
    const statuses = rollout.nodes.map(({ status }) => status);
    expect(statuses.filter((status) => status === "rolled-back")).toHaveLength(1);
    expect(statuses.filter((status) => status === "pending" || status === "skipped")).toHaveLength(2);
    for (const node of nodes) expect(node.build).toEqual(bundleOf("1.0.0").build);
  });

  test("what happened can be read afterwards: status, job, alerts, audit", async () => {
    const [newest] = await admin.json<RolloutSummary[]>("rollout", "list");
    const rollout = await admin.json<Rollout>("rollout", "status", newest?.id ?? "");
    const status = await admin("rollout", "status", rollout.id);
    expect(status.out).toContain("✗ halted");
    expect(status.out).toContain("↩");
    const failed = rollout.nodes.find((node) => node.status === "rolled-back");
    expect((await admin("jobs", "list", "--rollout", rollout.id, "--status", "failed")).out).toContain(
      failed?.name,
    );
    expect((await admin("jobs", "show", failed?.jobId ?? "")).out).toMatch(/status\s+failed/);
    expect((await admin("jobs", "log", failed?.jobId ?? "")).status).toBe(0);
    expect((await admin("jobs", "log", failed?.jobId ?? "", "--follow")).status).toBe(3);
    expect((await admin("nodes", "show", failed?.name ?? "")).out).toContain("quarantined");
    expect((await admin("alerts")).out).toContain("update_failed");
    const [alert] = await admin.json<Alert[]>("alerts", "list", "--kind", "update_failed");
    await admin("alerts", "ack", String(alert?.id), "--note", "on it");
    expect((await admin("alerts")).out).toMatch(/update_failed\s+db-\d\s+taken on by operator admin/);
    expect((await admin("status")).out).toMatch(/✗ halted → 1\.1\.0 {2}db/);
    expect((await admin("audit")).out).toContain("rollout");
    expect((await admin("lease", "show", "db")).out).toMatch(/lease\s+free/);
  });

  test("tokens have roles, and the coordinator decides", async () => {
    const made = await admin("tokens", "create", "vera", "--role", "viewer");
    const viewer = baton({ env: { BATON_URL: coordinator.url, BATON_TOKEN: made.out.trim() } });
    expect((await viewer("nodes")).status).toBe(0);
    expect(await viewer("nodes", "remove", "db-3", "--yes")).toMatchObject({
      status: 1,
      err: expect.stringContaining("forbidden"),
    });
    const anonymous = baton({ env: { BATON_URL: coordinator.url } });
    expect(await anonymous("nodes")).toMatchObject({
      status: 1,
      err: expect.stringContaining("unauthorized"),
    });
  });

  test("coordinator token works while the coordinator runs, without a token", async () => {
    const made = await operate("token", "create", "olga", "--role", "operator");
    expect(made).toMatchObject({ status: 0, text: expect.stringMatching(/^\S{20,}$/) });
    const list = await operate("token", "list");
    expect(list.text).toMatch(/olga\s+operator\s+valid/);
    const olga = baton({ env: { BATON_URL: coordinator.url, BATON_TOKEN: made.text } });
    expect((await olga("nodes")).status).toBe(0);
    const id = /^(\S+)\s+olga/m.exec(list.text)?.[1] ?? "";
    expect((await operate("token", "revoke", id)).status).toBe(0);
    expect((await olga("nodes")).status).toBe(1);
  });

  test("watching ends when it has taken too long, or when somebody has had enough, and the rollout goes on", async () => {
    for (const [index, node] of nodes.entries()) {
      await node.stop();
      nodes[index] = startFrameNode(coordinator, node.node, node.build, { group: "db", idles: true });
    }
    await serving(3);
    const { id } = await admin.json<Rollout>(
      "rollout",
      "start",
      "--group",
      "db",
      "--release",
      "1.1.0",
      "--retry",
      "--yes",
    );
    expect(await admin("rollout", "start", "--group", "db", "--yes")).toMatchObject({
      status: 5,
      err: expect.stringContaining(id),
    });
    const dumb = baton({ env: { ...env, TERM: "dumb" }, isTerminal: true });
    const enough = new AbortController();
    const impatient = baton({
      env,
      isTerminal: true,
      interrupted: enough.signal,
      onErr: () => enough.abort(),
    });
    const watch = ["rollout", "status", id, "--watch"] as const;
    const [late, lines, interrupted] = await Promise.all([
      admin(...watch, "--json", "--timeout", "1"),
      dumb(...watch, "--timeout", "1s"),
      impatient(...watch),
    ]);
    const kinds = late.out
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { kind: string }).kind);
    expect([late.status, kinds.toSorted()]).toEqual([4, ["node", "node", "node", "rollout", "stage"]]);
    expect(lines.err).toMatch(/^\d\d:\d\d:\d\d rollout /);
    expect(interrupted).toMatchObject({ status: 130, err: expect.stringContaining("No longer watching") });
    // The cursor that the picture had hidden is back.
    expect(interrupted.err.lastIndexOf(SHOW_CURSOR)).toBeGreaterThan(
      interrupted.err.lastIndexOf(HIDE_CURSOR),
    );
    expect(await admin("rollout", "pause", id)).toMatchObject({ status: 0, out: `Rollout ${id} paused.\n` });
    expect((await admin("rollout", "status")).out).toContain("‖ paused");
    expect(await admin("rollout", "resume", id)).toMatchObject({ status: 0 });
    expect(await admin("rollout", "retry", "r-000000000000")).toMatchObject({ status: 1 });
    expect(await admin.json("rollout", "status", id)).toMatchObject({ status: "running" });
  });

  test("watching goes on when the coordinator was away, and a cancelled rollout exits with 3", async () => {
    const [{ id } = { id: "" }] = await admin.json<Rollout[]>("rollout", "list");
    const begun = Promise.withResolvers<void>();
    const missed = Promise.withResolvers<void>();
    const watching = baton({
      env,
      onErr: (text) => {
        begun.resolve();
        if (text.includes("is away")) missed.resolve();
      },
    })("rollout", "status", id, "--watch", "--timeout", "30");
    await begun.promise;
    await coordinator.restart(() => missed.promise);
    expect(await admin("rollout", "cancel", id)).toMatchObject({ status: 0 });
    expect(await watching).toMatchObject({ status: 3, err: expect.stringContaining("was cancelled") });
  });

  test("what is hard to undo is asked for; where nobody can be asked it must be said", async () => {
    expect(await admin("nodes", "remove", "db-3")).toMatchObject({
      status: 2,
      err: expect.stringContaining("--yes"),
    });
    const no = baton({ env, answer: "yes" });
    expect(await no("nodes", "remove", "db-3")).toMatchObject({
      status: 1,
      err: expect.stringContaining("Nothing was done."),
    });
    const yes = baton({ env, answer: "as asked" });
    expect(await yes("nodes", "remove", "db-3")).toMatchObject({ status: 0, out: "db-3 is removed.\n" });
    expect((await admin.json<Node[]>("nodes")).map(({ name }) => name)).toEqual(["db-1", "db-2"]);
    expect(await admin("lease", "break", "db", "--reason", "lost", "--yes")).toMatchObject({ status: 1 });
  });

  test("errors are objects with --json, and sentences without", async () => {
    const json = await admin("nodes", "show", "nobody", "--json");
    expect(JSON.parse(json.err)).toMatchObject({
      code: "not-found",
      message: expect.stringContaining("nobody"),
    });
    const text = await admin("groups", "show", "nobody");
    expect(text.err).toMatch(/^error: .*\n[\s\S]*\(not-found, request [0-9a-f-]{36}\)\n$/);
  });

  test("nobody at the address, and somebody who is no coordinator", async () => {
    const nobody = baton({ env: { BATON_URL: "http://127.0.0.1:1" } });
    expect(await nobody("nodes")).toMatchObject({
      status: 1,
      err: expect.stringContaining("cannot be reached"),
    });
    const strange = await admin("nodes", "--url", `${coordinator.url}/tuf`);
    expect(strange.status).toBe(1);
  });

  /** Until so many nodes of the group serve, by what the coordinator says. */
  async function serving(count: number): Promise<void> {
    for (;;) {
      const all = await admin.json<Node[]>("nodes", "--group", "db");
      if (all.filter((node) => node.serving).length === count) return;
    }
  }
});
