import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AuditEntry } from "../../protocol/audit.ts";
import type { FleetEvent } from "../../protocol/event.ts";
import type { Group } from "../../protocol/group.ts";
import type { Node } from "../../protocol/node.ts";
import type { Channel, FleetPolicy } from "../../protocol/policy.ts";
import { startCoordinator, type TestCoordinator } from "../server-stub/harness/coordinator.ts";
import { joinNode } from "../server-stub/harness/node.ts";
import { type Baton, baton } from "./harness.ts";

/** What an operator does around rollouts, by `baton` alone, on a real coordinator. */
describe("running a fleet", () => {
  let coordinator: TestCoordinator;
  let dir: string;
  let env: Record<string, string>;
  let admin: Baton;

  beforeAll(async () => {
    coordinator = await startCoordinator();
    dir = await mkdtemp(join(tmpdir(), "baton-operations-"));
    env = {
      BATON_URL: coordinator.url,
      BATON_TOKEN_FILE: join(coordinator.config.stateDir, "admin.token"),
    };
    admin = baton({ env });
    for (const [group, mode] of [
      ["db", "quorum"],
      ["web", "independent"],
      ["old", "independent"],
    ] as const) {
      await admin.json("groups", "create", group, "--mode", mode);
    }
    for (const name of ["db-1", "db-2", "db-3"]) await joinNode(coordinator, { group: "db", name });
    await joinNode(coordinator, { group: "web", name: "web-1", autoApprove: false });
  });
  afterAll(async () => {
    await coordinator.stop();
    await rm(dir, { recursive: true });
  });

  test("labels are added and taken away, and nodes are found by them", async () => {
    expect(await admin("nodes", "edit", "db-1")).toMatchObject({ status: 2 });
    await admin("nodes", "edit", "db-1", "--label", "rack=r3", "--label", "owner=anna");
    const edited = await admin.json<Node>(
      "nodes",
      "edit",
      "db-1",
      "--label",
      "rack=r4",
      "--unlabel",
      "owner",
    );
    expect(edited.labels).toEqual({ rack: "r4" });
    const named = async (...filter: string[]) =>
      (await admin.json<Node[]>("nodes", "list", ...filter)).map(({ name }) => name);
    expect(await named("--label", "rack=r4")).toEqual(["db-1"]);
    expect(await named("--label", "rack=r4", "--group", "web")).toEqual([]);
    expect(await named("--outdated")).toEqual([]);
    expect((await admin("nodes", "--label", "rack=r9")).out).toBe("None of the 4 nodes fits.\n");
    expect(await admin("nodes", "edit", "db-1", "--no-voter", "--json")).toMatchObject({
      status: 0,
      out: expect.stringContaining('"voter":false'),
    });
    expect((await admin("nodes", "edit", "db-1", "--voter")).status).toBe(0);
  });

  test("to remove a node one types its name, and is told of the quorum before and after", async () => {
    expect(await admin("nodes", "remove", "db-3")).toMatchObject({
      status: 2,
      err: expect.stringMatching(
        /Voters 3 → 2, quorum 2 → 2.*Nobody can be asked here, and nothing was done\.\n.*--yes.*type the node's name: db-3/s,
      ),
    });
    const wrong = await baton({ env, answer: "db-2" })("nodes", "remove", "db-3");
    expect(wrong).toMatchObject({ status: 1, err: expect.stringContaining("Nothing was done.") });
    expect((await baton({ env, answer: "as asked" })("nodes", "remove", "db-3")).out).toBe(
      "db-3 is removed.\n",
    );
    expect((await admin("nodes", "reject", "web-1")).out).toBe("web-1 is turned away.\n");
    expect((await admin.json<Node[]>("nodes")).map(({ name }) => name)).toEqual(["db-1", "db-2"]);
  });

  test("windows: of the fleet, and of a group instead", async () => {
    expect((await admin("policy", "windows")).out).toBe("Always open.\n");
    const added = await admin(
      "policy",
      "windows",
      "--add",
      "0 2 * * 6",
      "--for",
      "4h",
      "--timezone",
      "Europe/Berlin",
    );
    expect(added.out).toBe("1. 0 2 * * 6 (Europe/Berlin) for 4 h\n");
    await admin("groups", "windows", "db", "--add", "0 3 * * *", "--for", "2h");
    const two = await admin("groups", "windows", "db", "--add", "0 5 * * 0", "--for", "1h");
    expect(two.out).toBe("1. 0 3 * * * (UTC) for 2 h\n2. 0 5 * * 0 (UTC) for 60 min\n");
    expect((await admin("groups", "windows", "db", "--remove", "1")).out).toBe(
      "1. 0 5 * * 0 (UTC) for 60 min\n",
    );
    expect(await admin("groups", "windows", "db", "--remove", "7")).toMatchObject({ status: 2 });
    expect(await admin("groups", "windows", "db", "--add", "0 3 * * *")).toMatchObject({ status: 2 });
    expect(
      await admin("groups", "windows", "db", "--add", "0 3 * * *", "--for", "1h", "--clear"),
    ).toMatchObject({ status: 2 });
    expect(await admin("policy", "windows", "--add", "61 2 * * 6", "--for", "4h")).toMatchObject({
      status: 1,
    });
    expect((await admin("groups", "windows", "db", "--inherit")).out).toContain("The fleet's windows");
    expect((await admin("groups", "windows", "db", "--clear")).out).toBe("Always open.\n");
    expect((await admin.json<Group>("groups", "show", "db")).windows).toEqual([]);
    await admin("policy", "windows", "--clear");
  });

  test("freezes: of the fleet and of a group, until then or until lifted", async () => {
    expect(await admin("policy", "freeze")).toMatchObject({
      status: 2,
      err: expect.stringContaining("--reason"),
    });
    const frozen = await admin("policy", "freeze", "--reason", "year end", "--until", "2099-01-02T06:00Z");
    expect(frozen.out).toMatch(/^The fleet is frozen by .* until 2099-01-02T06:00:00Z: year end\n$/);
    expect((await admin("groups", "freeze", "db", "--reason", "migration")).out).toContain("db is frozen by");
    expect((await admin("groups", "show", "db")).out).toMatch(/closed\s+.*\(paused\)/);
    expect((await admin("status")).out).toContain("year end");
    await admin("groups", "unfreeze", "db");
    expect((await admin("policy", "unfreeze")).out).toBe("The fleet is not frozen any more.\n");
    expect((await admin.json<FleetPolicy>("policy")).freeze).toBeNull();
  });

  test("what rollouts take when they are not told otherwise", async () => {
    const set = ["policy", "rollout", "--stages", "20,100", "--concurrency", "3", "--pause", "manual"];
    expect((await admin(...set, "--threshold", "25%")).out).toBe(
      "stages 20/100 %\n3 groups at once\nbetween stages it waits for resume\nhalts above 25 % failed\n",
    );
    const kept = await admin.json<FleetPolicy["rollout"]>("policy", "rollout", "--concurrency", "4");
    expect(kept).toEqual({ stages: [0.2, 1], concurrency: 4, pauseMs: null, threshold: 0.25 });
    expect(await admin("policy", "rollout", "--stages", "50,20,100")).toMatchObject({ status: 1 });
    for (const wrong of [
      ["--stages", "a,b"],
      ["--threshold", "101"],
      ["--pause", "soon"],
      ["--offline", "maybe"],
    ]) {
      expect(await admin("policy", "rollout", ...wrong)).toMatchObject({ status: 2 });
    }
    expect((await admin("policy", "rollout", "--reset")).out).toBe("The defaults.\n");
  });

  test("channels: made, followed, shown, and not removed while a group follows", async () => {
    const made = [
      "channels",
      "set",
      "stable",
      "--start-on-publish",
      "--label",
      "ring=1",
      "--concurrency",
      "2",
    ];
    expect(await admin.json<Channel>(...made)).toMatchObject({
      startOnPublish: true,
      selection: { labels: { ring: "1" } },
      policy: { concurrency: 2 },
    });
    expect(await admin.json<Channel>("channels", "set", "stable", "--followers")).toMatchObject({
      selection: null,
    });
    await admin("groups", "edit", "web", "--channel", "stable");
    expect((await admin("channels")).out).toMatch(/stable\s+-\s+-\s+a rollout to the groups that follow it/);
    expect(await admin("channels", "promote", "stable", "9.9.9")).toMatchObject({
      status: 1,
      err: expect.stringContaining("no-release"),
    });
    expect(await admin("channels", "remove", "stable")).toMatchObject({ status: 5 });
    await admin("groups", "edit", "web", "--no-channel");
    expect((await admin("channels", "remove", "stable")).out).toBe("The channel stable is removed.\n");
    expect((await admin("groups", "remove", "old")).out).toBe("The group old is removed.\n");
    expect(await admin("groups", "remove", "db")).toMatchObject({ status: 5 });
  });

  test("join tokens are listed without their secrets, and taken back", async () => {
    const line = await admin("join-tokens", "create", "--group", "db", "--uses", "2", "--ttl", "12h");
    const secret = /BATON_JOIN_TOKEN=(\S+)/.exec(line.out)?.[1] ?? "";
    const [token] = await admin.json<{ id: string }[]>("join-tokens");
    expect((await admin("join-tokens")).out).not.toContain(secret);
    expect((await admin("join-tokens", "revoke", token?.id ?? "")).status).toBe(0);
    expect((await admin("join-tokens", "list", "--all")).out).toMatch(/db\s+voter\s+2\s+.*revoked/);
  });

  test("FleetLock: opened with a password that is shown once, seen, and closed", async () => {
    await admin("groups", "create", "coreos", "--mode", "quorum");
    const opened = await admin("groups", "fleet-lock", "open", "coreos");
    expect(opened).toMatchObject({ status: 0, err: expect.stringMatching(/only now.*baton nodes approve/s) });
    const base = new URL(opened.out.trim());
    expect([base.username, base.host]).toEqual(["coreos", new URL(coordinator.url).host]);
    expect((await admin("groups", "show", "coreos")).out).toMatch(/FleetLock\s+open, by a password; .*wait/);
    const lock = (password: string) =>
      fetch(`${coordinator.url}/v1/pre-reboot`, {
        method: "POST",
        headers: {
          "fleet-lock-protocol": "true",
          authorization: `Basic ${Buffer.from(`coreos:${password}`).toString("base64")}`,
        },
        body: JSON.stringify({ client_params: { id: "core-1", group: "coreos" } }),
      });
    expect((await lock("guessed")).status).toBe(401);
    expect((await lock(base.password)).status).toBe(403);
    expect((await admin("nodes", "approve", "core-1")).status).toBe(0);
    expect((await admin("nodes", "list", "--group", "coreos")).out).toMatch(/core-1 .*speaks FleetLock/);
    expect((await lock(base.password)).status).toBe(200);
    expect((await admin("nodes", "list", "--group", "coreos")).out).toMatch(/core-1 .*may reboot/);
    const free = await admin.json<object>(
      "groups",
      "fleet-lock",
      "open",
      "coreos",
      "--no-password",
      "--auto-approve",
      "--voter",
    );
    expect(free).toEqual({ voter: true, autoApprove: true, basicAuth: false, user: null, password: null });
    expect((await admin("groups", "show", "coreos")).out).toMatch(
      /without a password; .*at once; with a vote/,
    );
    expect((await admin("groups", "fleet-lock", "close", "coreos")).out).toBe(
      "FleetLock is closed in coreos.\n",
    );
    expect((await admin("groups", "show", "coreos")).out).not.toContain("FleetLock");
    expect((await lock("")).status).toBe(404);
    expect(await admin("groups", "fleet-lock", "open", "nowhere")).toMatchObject({ status: 1 });
    await admin("nodes", "remove", "core-1", "--yes");
    await admin("groups", "remove", "coreos");
  });

  test("one's own token is taken back only when its name is typed", async () => {
    const secret = (await admin("tokens", "create", "otto", "--role", "admin")).out.trim();
    const tokens = await admin.json<{ id: string; name: string }[]>("tokens");
    const id = tokens.find(({ name }) => name === "otto")?.id ?? "";
    const as = { BATON_URL: coordinator.url, BATON_TOKEN: secret };
    expect(await baton({ env: as })("tokens", "revoke", id)).toMatchObject({
      status: 2,
      err: expect.stringContaining("type the token's name: otto"),
    });
    expect((await baton({ env: as, answer: "as asked" })("tokens", "revoke", id)).status).toBe(0);
    expect((await baton({ env: as })("nodes")).status).toBe(1);
    // Somebody else's needs no more than its id.
    await admin("tokens", "create", "vera", "--role", "viewer");
    const vera = (await admin.json<{ id: string; name: string }[]>("tokens")).find(
      ({ name }) => name === "vera",
    );
    expect((await admin("tokens", "revoke", vera?.id ?? "")).status).toBe(0);
  });

  test("webhooks: what they are told of, and what came of it", async () => {
    const url = "https://hooks.example/x";
    const added = await admin(
      "webhooks",
      "add",
      url,
      "--alert",
      "node_offline",
      "--rollout",
      "halted",
      "--rollout",
      "failed",
      "--disabled",
    );
    expect(added).toMatchObject({ status: 0, err: expect.stringContaining("shown only now") });
    const [webhook] = await admin.json<{ id: string }[]>("webhooks");
    const id = webhook?.id ?? "";
    expect((await admin("webhooks")).out).toMatch(
      /off\s+node_offline\s+halted,failed\s+https:\/\/hooks\.example\/x/,
    );
    expect((await admin("webhooks")).out).not.toContain(added.out.trim());
    const edited = await admin.json<object>(
      "webhooks",
      "edit",
      id,
      "--all-alerts",
      "--no-rollout",
      "--address",
      `${url}2`,
    );
    expect(edited).toMatchObject({ alerts: null, rollouts: [], url: `${url}2`, enabled: false });
    expect((await admin("webhooks", "deliveries", id)).out).toBe("Nothing was sent yet.\n");
    expect(await admin("webhooks", "add", url, "--alert", "boredom")).toMatchObject({ status: 2 });
    expect((await admin("webhooks", "remove", id)).out).toBe(`Webhook ${id} is removed.\n`);
  });

  test("the audit log, by filters, and as a file for its owner alone", async () => {
    const frozen = await admin.json<AuditEntry[]>("audit", "--action", "policy.", "--since", "1h");
    expect(frozen.length).toBeGreaterThan(3);
    expect(frozen.every(({ action }) => action.startsWith("policy."))).toBe(true);
    expect(await admin.json<AuditEntry[]>("audit", "--limit", "2")).toHaveLength(2);
    expect(await admin.json<AuditEntry[]>("audit", "--until", "2020-01-01T00:00Z")).toEqual([]);
    const file = join(dir, "audit.jsonl");
    const done = await admin("audit", "--action", "policy.", "--export", file);
    expect(done.out).toBe(`Wrote ${frozen.length} entries to ${file}.\n`);
    const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as AuditEntry).id)).toEqual(
      frozen.map((entry) => entry.id).reverse(),
    );
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await admin("audit", "--since", "yesterday")).toMatchObject({ status: 2 });
  });

  test("events, a line each, go on where another reader ended", async () => {
    const silent = admin("events", "--timeout", "1s", "--kind", "alert");
    const reading = admin("events", "--kind", "policy", "--count", "2", "--json", "--timeout", "20");
    let changed = true;
    const changing = (async () => {
      // Events are told from the moment on at which the reader has come.
      for (let n = 0; changed; n++) await admin("policy", "rollout", "--concurrency", String((n % 9) + 1));
    })();
    const read = await reading;
    changed = false;
    await changing;
    expect(read.status).toBe(0);
    const [first] = read.out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as FleetEvent & { position: string });
    expect(first).toMatchObject({ kind: "policy", subject: expect.any(String) });
    const again = await admin("events", "--kind", "policy", "--since", first?.position ?? "", "--count", "1");
    expect(again.out).toMatch(/^\d\d:\d\d:\d\d policy {7}\S+/);
    expect(await silent).toMatchObject({ status: 4 });
  });

  test("the fleet at a glance, and who answers", async () => {
    const glance = await admin("status");
    expect(glance).toMatchObject({ status: 0, out: expect.stringContaining("2 nodes in 2 groups") });
    expect(glance.out).toMatch(/unknown\s+█/);
    expect(await admin.json("status")).toMatchObject({ nodes: 2, behind: 0, alerts: [] });
    expect((await admin("version")).out).toMatch(/^baton\s+1\.0\.0\ncoordinator\s+\S+ at http:\/\/127/);
    expect(await admin("rollout", "status")).toMatchObject({
      status: 1,
      err: expect.stringContaining("no rollout yet"),
    });
    expect((await admin("jobs")).out).toBe("No jobs.\n");
    expect(await admin.json("jobs", "list", "--node", "db-1", "--status", "failed")).toEqual([]);
    expect((await admin("alerts")).out).toBe("No alerts.\n");
    expect(await admin("alerts", "ack", "7")).toMatchObject({ status: 1 });
  });
});
