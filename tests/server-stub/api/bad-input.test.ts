/**
 * What is asked for and cannot be: each refused with a code of its own and a sentence that says what to do, by a real
 * coordinator, and nothing of it is done.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Door, type DoorCall } from "../harness/door.ts";
import type { DoorNode } from "../harness/door-node.ts";
import { Receiver } from "../harness/receiver.ts";

type Ask = readonly [method: string, path: string, call?: DoorCall];

/** What there is, so that each request is wrong in one way alone. */
type There = {
  readonly free: DoorNode;
  /** The running rollout has it. */
  readonly taken: DoorNode;
  readonly empty: string;
  readonly running: string;
  readonly cancelled: string;
  /** Was given before the group `empty` was edited. */
  readonly staleTag: string;
  /** Of the audit log. */
  readonly cursor: string;
};

const start = (body: object): Ask => ["POST", "/v1/rollouts", { body }];
const of = ({ group }: DoorNode) => ({ selection: { groups: [group] } });
const nodeId = "n-zzzzzzzzzzzz";
const never = { cron: "0 3 30 2 *", timezone: "UTC", durationMs: 3_600_000 };
const KEY = { "idempotency-key": "once" };

type Row = readonly [what: string, ask: (there: There) => Ask, status: number, code: string, says: RegExp];

const ROWS: readonly Row[] = [
  ["an unknown node", () => ["GET", `/v1/nodes/${nodeId}`], 404, "not-found", /no node n-z.* `baton nodes`/],
  [
    "an update of an unknown node",
    () => ["POST", `/v1/nodes/${nodeId}/update`, { body: {} }],
    404,
    "not-found",
    /no node n-z.* `baton nodes`/,
  ],
  [
    "a rollout of an unknown node",
    () => start({ selection: { nodes: ["nobody"] } }),
    404,
    "not-found",
    /no node nobody.* `baton nodes`/,
  ],
  [
    "a rollout that allows for an unknown node",
    ({ free }) => start({ ...of(free), allowUnhealthy: ["nobody"] }),
    404,
    "not-found",
    /no node nobody.* `baton nodes`/,
  ],
  [
    "a rollout of an unknown group",
    ({ free }) => start({ selection: { groups: [free.group, "nobody"] } }),
    404,
    "not-found",
    /no group nobody.* `baton groups`/,
  ],
  ["an unknown group", () => ["GET", "/v1/groups/nobody"], 404, "not-found", /no group .* `baton groups`/],
  [
    "a move to an unknown group",
    ({ free }) => ["PATCH", `/v1/nodes/${free.id}`, { body: { group: "nobody" } }],
    404,
    "not-found",
    /no group nobody.* `baton groups`/,
  ],
  [
    "a rollout of an unknown channel",
    () => start({ selection: { channel: "nobody" } }),
    404,
    "not-found",
    /no channel nobody.* `baton channels`/,
  ],
  [
    "an unknown rollout",
    () => ["POST", "/v1/rollouts/r-zzzzzzzzzzzz/pause"],
    404,
    "not-found",
    /no rollout r-z.* `baton rollout list`/,
  ],
  [
    "a rollout of an unknown release",
    ({ free }) => start({ ...of(free), release: "9.9.9" }),
    404,
    "no-release",
    /9\.9\.9 is not published.* `baton publish`/,
  ],
  [
    "an update to an unknown release",
    ({ free }) => ["POST", `/v1/nodes/${free.id}/update`, { body: { release: "9.9.9" } }],
    404,
    "no-release",
    /9\.9\.9 is not published.* `baton releases`/,
  ],
  ...[
    [0.5, 0.1, 1],
    [0.5, 0.5, 1],
    [0.1, 0.5],
    [0, 1],
    [-0.1, 1],
    [0.5, 1.5],
  ].map(
    (stages): Row => [
      `stages of ${stages.join(", ")}`,
      ({ free }) => start({ ...of(free), policy: { stages } }),
      422,
      "stages-out-of-order",
      /do not rise to 100 %\. Nothing was changed\. .* such as 0\.1, 0\.5, 1\./,
    ],
  ),
  ...[1.01, -0.01, 30].map(
    (threshold): Row => [
      `a threshold of ${threshold}`,
      ({ free }) => start({ ...of(free), policy: { threshold } }),
      422,
      "threshold-out-of-range",
      /is no share .* between 0, for the first failure, and 1/,
    ],
  ),
  [
    "a cron that never fires, of the fleet",
    () => ["PATCH", "/v1/policy", { body: { windows: [never] } }],
    422,
    "window-never-opens",
    /on no day of any year\. Check the day of the month/,
  ],
  [
    "a cron that never fires, of a group",
    ({ empty }) => ["PATCH", `/v1/groups/${empty}`, { body: { windows: [never] } }],
    422,
    "window-never-opens",
    /on no day of any year\. Check the day of the month/,
  ],
  ...[{}, { labels: { rack: "none" } }].map(
    (selection): Row => [
      `a selection of nobody, ${JSON.stringify(selection)}`,
      () => start({ selection }),
      422,
      "empty-selection",
      /fits no approved node\. Nothing was begun\. Look at the groups, labels and names/,
    ],
  ),
  [
    "a rollout of a group without nodes",
    ({ empty }) => start({ selection: { groups: [empty] } }),
    422,
    "empty-selection",
    /fits no approved node\. Nothing was begun\. Look at/,
  ],
  [
    "a second rollout of a node",
    ({ taken }) => start({ selection: { nodes: [taken.name] } }),
    409,
    "rollout-active",
    /is running and has node-\d+\. Nothing was begun\. Wait for it, or cancel it\./,
  ],
  [
    "a second rollout of everybody",
    () => start({ selection: { all: true } }),
    409,
    "rollout-active",
    /is running and has node-\d+\. Nothing was begun\. Wait for it, or cancel it\./,
  ],
  [
    "a job beside a rollout",
    ({ taken }) => ["POST", `/v1/nodes/${taken.id}/update`, { body: {} }],
    409,
    "in-rollout",
    /has node-\d+ .* Wait for the rollout, or cancel it\./,
  ],
  ...(["pause", "resume", "retry", "rollback"] as const).map(
    (action): Row => [
      `${action} of what was cancelled`,
      ({ cancelled }) => ["POST", `/v1/rollouts/${cancelled}/${action}`],
      409,
      "wrong-state",
      /is cancelled and .*\. (It is over: start a rollout anew|Leave it)/,
    ],
  ),
  [
    "rollback of what has moved nobody",
    ({ running }) => ["POST", `/v1/rollouts/${running}/rollback`],
    409,
    "wrong-state",
    /is running and has moved no node: .* Cancel it/,
  ],
  [
    "a stale If-Match",
    ({ empty, staleTag }) => [
      "PATCH",
      `/v1/groups/${empty}`,
      { body: { spare: 2 }, headers: { "if-match": staleTag } },
    ],
    412,
    "precondition-failed",
    /changed since you read it; nothing was changed now\. Read it again, decide again/,
  ],
  [
    "a repeated Idempotency-Key with another body",
    ({ free }) => ["POST", "/v1/rollouts", { body: of(free), headers: KEY }],
    422,
    "idempotency-key-reused",
    /nothing was done\. Give every request a key of its own\./,
  ],
  [
    "a cursor of another list",
    ({ cursor }) => ["GET", `/v1/groups?cursor=${cursor}`],
    400,
    "cursor-invalid",
    /not one that this list has given\. Leave it out/,
  ],
  [
    "a cursor of nobody's",
    () => ["GET", "/v1/rollouts?cursor=zzz"],
    400,
    "cursor-invalid",
    /not one that this list has given\. Leave it out/,
  ],
  ...["https://10.0.0.7/x", "https://[::1]/x", "https://169.254.169.254/latest"].map(
    (url): Row => [
      `a webhook to ${url}`,
      () => ["POST", "/v1/webhooks", { body: { url } }],
      422,
      "webhook-refused",
      /is not public: .* set allow_private = true/,
    ],
  ),
];

const LISTS = ["rollouts", "jobs", "nodes", "groups", "channels", "webhooks", "policy", "alerts", "releases"];
const everything = (door: Door) => Promise.all(LISTS.map((list) => door.must("GET", `/v1/${list}`)));

describe("refused, and nothing is done", () => {
  let door: Door;
  let there: There;
  beforeAll(async () => {
    door = await Door.open();
    await door.publish("1.1.0");
    const [free, taken, once] = [await door.online(), await door.online(), await door.online()];
    const begin = async (node: DoorNode, call: DoorCall = {}) =>
      String((await door.must("POST", "/v1/rollouts", { ...call, body: of(node) })).id);
    const [running, cancelled] = [await begin(taken, { headers: KEY }), await begin(once)];
    await door.must("POST", `/v1/rollouts/${cancelled}/cancel`);
    const empty = await door.group();
    const { headers } = await door.call("GET", `/v1/groups/${empty}`);
    await door.must("PATCH", `/v1/groups/${empty}`, { body: { spare: 1 } });
    const cursor = String((await door.must("GET", "/v1/audit?limit=1")).next);
    there = { free, taken, empty, running, cancelled, staleTag: headers.etag ?? "", cursor };
  });
  afterAll(() => door[Symbol.asyncDispose]());

  test.each(ROWS)("%s", async (_, ask, status, code, says) => {
    const [method, path, call] = ask(there);
    const [before, changes] = [await everything(door), await door.lastChange()];
    const answer = await door.call(method, path, call);
    expect(answer).toMatchObject({ status, body: { code, status, type: `urn:baton:problem:${code}` } });
    expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
    expect(`${String(answer.body.detail)} ${String(answer.body.hint)}`).toMatch(says);
    expect(await everything(door)).toEqual(before);
    expect(await door.lastChange()).toBe(changes);
  });

  test("what is wrong about a plan is told by a dry run as well", async () => {
    const rollouts = ROWS.filter(([, ask]) => ask(there)[1] === "/v1/rollouts" && ask(there)[0] === "POST");
    expect(rollouts.length).toBeGreaterThan(15);
    for (const [what, ask, , code] of rollouts) {
      const [, path, { body } = {}] = ask(there);
      if (code === "idempotency-key-reused") continue;
      const answer = await door.call("POST", `${path}?dryRun=true`, { body });
      const refused = (answer.body.checks as { outcome: string; code: string }[] | undefined)
        ?.filter(({ outcome }) => outcome === "refused")
        .map((check) => check.code);
      expect([what, refused ?? [answer.body.code]]).toEqual([what, expect.arrayContaining([code])]);
    }
  });
});

describe("a webhook whose receiver", () => {
  let door: Door;
  let receiver: Receiver;
  let elsewhere: Receiver;
  beforeAll(async () => {
    [receiver, elsewhere] = [await Receiver.listen(), await Receiver.listen()];
    door = await Door.open("[webhooks]\nallow_private = true");
  });
  afterAll(async () => {
    await door[Symbol.asyncDispose]();
    for (const each of [receiver, elsewhere]) await each[Symbol.asyncDispose]();
  });

  test.each<[string, Receiver["answer"], number | null, string]>([
    ["hangs", () => undefined, null, "No answer came within 0.5 s."],
    ["answers 503", (response) => response.writeHead(503).end("full"), 503, "It answered 503: full."],
    [
      "redirects to a private address",
      (response) => response.writeHead(307, { location: elsewhere.url }).end(),
      307,
      "It answered 307, and redirects are not followed: give the address that it leads to.",
    ],
    ["breaks off", (response) => response.socket?.destroy(), null, "other side closed."],
  ])(
    "%s has not taken the message: that is said, and nothing else waits",
    async (_, answer, status, error) => {
      receiver.answer = answer;
      const made = await door.must("POST", "/v1/webhooks", { body: { url: receiver.url } });
      const path = `/v1/webhooks/${(made.webhook as { id: string }).id}`;
      const tested = door.must("POST", `${path}/test`);
      // Others are served meanwhile.
      expect((await door.call("GET", "/v1/nodes")).status).toBe(200);
      expect(await tested).toMatchObject({
        status: "failed",
        attempts: 1,
        lastStatus: status,
        lastError: error,
      });
      expect((await door.must("GET", `${path}/deliveries`)).deliveries).toMatchObject([{ lastError: error }]);
      expect(elsewhere.received).toEqual([]);
    },
  );
});
