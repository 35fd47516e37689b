/** Windows, freezes and channels over a real coordinator's HTTP door. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Door } from "../harness/door.ts";

const HOUR_MS = 3_600_000;
/** The door's clock begins at 2027-01-15T08:00Z: this one is open from 03:00 to 04:00 in Berlin. */
const NIGHTLY = { cron: "0 3 * * *", timezone: "Europe/Berlin", durationMs: HOUR_MS };

let door: Door;
beforeAll(async () => {
  door = await Door.open();
  await door.publish("1.1.0");
});
afterAll(() => door[Symbol.asyncDispose]());

async function tokenOf(role: string): Promise<string> {
  const { secret } = await door.must("POST", "/v1/tokens", { body: { name: door.fresh(role), role } });
  return String(secret);
}

const refusal = async (...call: Parameters<Door["call"]>) => {
  const { status, body } = await door.call(...call);
  return { status, code: body.code };
};

test.each([
  ["cron-invalid", { ...NIGHTLY, cron: "0 3 * * * *" }],
  ["cron-invalid", { ...NIGHTLY, cron: "every night" }],
  ["window-never-opens", { ...NIGHTLY, cron: "0 3 30 2 *" }],
  ["timezone-unknown", { ...NIGHTLY, timezone: "Europe/Berlin2" }],
])("a window is refused with %s, of the fleet and of a group, and changes nothing", async (code, window) => {
  const group = await door.group();
  const body = { windows: [NIGHTLY, window] };
  for (const path of ["/v1/policy", `/v1/groups/${group}`]) {
    const before = await door.must("GET", path);
    expect(await refusal("PATCH", path, { body })).toEqual({ status: 422, code });
    expect(await door.must("GET", path)).toEqual(before);
  }
});

test("a window that is too short, too long or not whole is malformed", async () => {
  for (const durationMs of [59_999, 604_800_001, 60_000.5, "1h"]) {
    const body = { windows: [{ ...NIGHTLY, durationMs }] };
    expect(await refusal("PATCH", "/v1/policy", { body })).toEqual({ status: 400, code: "malformed" });
  }
});

test("a node's lease waits for its group's window; a commit after the window is refused, and resumed in the next", async () => {
  const node = await door.online();
  const path = `/v1/groups/${node.group}`;
  await door.must("PATCH", path, { body: { windows: [NIGHTLY] } });
  const jobId = await node.update();
  expect(node.orders).toMatchObject({ turn: null, waiting: { code: "outside-window" } });
  const [reserve, call] = node.reserve();
  const refused = await door.call("POST", reserve, call);
  expect(refused).toMatchObject({
    status: 409,
    headers: { "retry-after": "300" },
    body: {
      code: "outside-window",
      detail:
        "The maintenance window is closed. It opens next at 2027-01-16 03:00 Europe/Berlin (2027-01-16T02:00:00Z).",
      retryAfterMs: 300_000,
      context: { opensAt: Date.parse("2027-01-16T02:00Z"), timezone: "Europe/Berlin" },
    },
  });
  expect((await door.must("GET", path)).gate).toMatchObject({ code: "outside-window" });
  await door.must("PATCH", path, { body: { windows: [] } });
  const token = await node.reserved();
  await door.must("PATCH", path, { body: { windows: [NIGHTLY] } });
  const [commit, late] = node.lease("commit", { token, needMs: 10 });
  expect(await refusal("POST", commit, late)).toEqual({ status: 409, code: "outside-window" });
  const reason = { code: "outside-window", message: "The window has closed." };
  await node.beat({ finalWords: [{ token, jobId, word: "not-acted", reason }] });
  expect((await door.must("GET", `/v1/jobs/${jobId}`)).status).toBe("queued");
  await door.must("PATCH", path, { body: { windows: null } });
  await node.beat();
  await node.updateWell();
  expect((await door.must("GET", `/v1/jobs/${jobId}`)).status).toBe("succeeded");
});

test("an operator freezes the fleet and lifts it again, a viewer may not, and only an administrator sets windows", async () => {
  const [viewer, operator] = [await tokenOf("viewer"), await tokenOf("operator")];
  const body = { reason: "the data centre is moving" };
  expect(await refusal("POST", "/v1/policy/freeze", { token: viewer, body })).toMatchObject({ status: 403 });
  expect(await refusal("PATCH", "/v1/policy", { token: operator, body: {} })).toMatchObject({ status: 403 });
  const frozen = await door.must("POST", "/v1/policy/freeze", { token: operator, body });
  expect(frozen.freeze).toMatchObject({ ...body, until: null, by: expect.stringMatching(/^operator-/) });
  const node = await door.online();
  await node.update();
  expect(node.orders?.waiting).toMatchObject({
    code: "paused",
    message: expect.stringMatching(
      /^The fleet is frozen by operator-\d+ until it is lifted: the data centre/,
    ),
  });
  const [reserve, call] = node.reserve();
  expect(await refusal("POST", reserve, call)).toEqual({ status: 409, code: "paused" });
  const lifted = await door.must("POST", "/v1/policy/unfreeze", { token: operator });
  expect(lifted.freeze).toBeNull();
  expect(await node.reserved()).toBe(1);
});

test("a freeze until a time that has passed is refused", async () => {
  const group = await door.group();
  const body = { reason: "late", until: door.clock.now() };
  const answer = await door.call("POST", `/v1/groups/${group}/freeze`, { body });
  expect(answer).toMatchObject({
    status: 400,
    body: { code: "malformed", context: { place: "body/until" } },
  });
});

test("policy, group and channel have an ETag of what is configured, and an If-Match that is stale changes nothing", async () => {
  const group = await door.group();
  const name = door.fresh("channel");
  await door.must("PUT", `/v1/channels/${name}`, { body: {} });
  const edits = [
    ["PATCH", "/v1/policy", { rollout: { concurrency: 3 } }, { rollout: { concurrency: 4 } }],
    ["PATCH", `/v1/groups/${group}`, { windows: [NIGHTLY] }, { windows: [] }],
    ["PUT", `/v1/channels/${name}`, { startOnPublish: true }, { startOnPublish: false }],
  ] as const;
  for (const [method, path, first, second] of edits) {
    const { etag = "" } = (await door.call("GET", path)).headers;
    await door.must(method, path, { body: first, headers: { "if-match": etag } });
    const stale = { body: second, headers: { "if-match": etag } };
    expect(await refusal(method, path, stale)).toEqual({ status: 412, code: "precondition-failed" });
    expect(await door.must("GET", path)).toMatchObject(first);
  }
});

test("to promote a release with startOnPublish starts a rollout of who follows the channel", async () => {
  const operator = await tokenOf("operator");
  const name = door.fresh("channel");
  const policy = { stages: [1], concurrency: 2 };
  await door.must("PUT", `/v1/channels/${name}`, { body: { startOnPublish: true, policy } });
  const node = await door.online();
  await door.must("PATCH", `/v1/groups/${node.group}`, { body: { channel: name } });
  const promote = { token: operator, body: { release: "1.1.0" } };
  const channel = await door.must("POST", `/v1/channels/${name}/promote`, promote);
  expect(channel).toMatchObject({ name, release: "1.1.0", promotedAt: door.clock.now() });
  expect(channel).not.toHaveProperty("startDue");
  const { rollouts } = (await door.must("GET", "/v1/rollouts")) as { rollouts: object[] };
  expect(rollouts[0]).toMatchObject({ selection: { channel: name }, release: "1.1.0", status: "running" });
  await node.beat();
  await node.updateWell();
  await door.tick(1_000);
  expect(await door.must("GET", `/v1/groups/${node.group}`)).toMatchObject({
    desired: "1.1.0",
    channel: name,
  });
  expect(await door.must("GET", `/v1/nodes/${node.id}`)).toMatchObject({ latest: "1.1.0", outdated: false });
  expect(await refusal("DELETE", `/v1/channels/${name}`)).toEqual({ status: 409, code: "channel-in-use" });
  const unknown = { body: { release: "7.0.0" } };
  expect(await refusal("POST", `/v1/channels/${name}/promote`, unknown)).toEqual({
    status: 404,
    code: "no-release",
  });
});

test("every change is in the audit log, with what was before and after", async () => {
  const group = await door.group();
  const path = `/v1/groups/${group}`;
  const name = door.fresh("channel");
  await door.must("PUT", `/v1/channels/${name}`, { body: {} });
  await door.must("PATCH", path, { body: { windows: [NIGHTLY], channel: name } });
  await door.must("POST", `${path}/freeze`, { body: { reason: "x" } });
  await door.must("POST", `${path}/unfreeze`);
  await door.must("POST", `/v1/channels/${name}/promote`, { body: { release: "1.1.0" } });
  const { entries } = (await door.must("GET", "/v1/audit?limit=5")) as {
    entries: { action: string; subject: string; before: unknown; after: unknown }[];
  };
  expect(entries.map(({ action, subject, before, after }) => ({ action, subject, before, after }))).toEqual([
    { action: "channel.promoted", subject: name, before: { release: null }, after: { release: "1.1.0" } },
    {
      action: "group.unfrozen",
      subject: group,
      before: expect.objectContaining({ reason: "x" }),
      after: null,
    },
    { action: "group.frozen", subject: group, before: null, after: expect.objectContaining({ reason: "x" }) },
    {
      action: "group.edited",
      subject: group,
      before: { mode: "independent", spare: null, windows: null, channel: null },
      after: { mode: "independent", spare: null, windows: [NIGHTLY], channel: name },
    },
    {
      action: "channel.created",
      subject: name,
      before: null,
      after: { release: null, startOnPublish: false, selection: null, policy: {} },
    },
  ]);
});
