/**
 * Every operation of the OpenAPI document is called on a real coordinator, and its answer compared with what the
 * document says. An operation that nobody exercises fails the first test here: give it a row in `operations/`.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openApiDocument } from "../../../server-stub/api/document.ts";
import { Door } from "../harness/door.ts";
import { type Json, misfits, type Operation, operationsOf } from "./operations/document.ts";
import { fleetRows } from "./operations/fleet.ts";
import { peopleRows } from "./operations/people.ts";
import { policyRows } from "./operations/policy.ts";
import type { Rows } from "./operations/row.ts";

import { serviceRows } from "./operations/service.ts";
import { webhookRows } from "./operations/webhooks.ts";
import { workRows } from "./operations/work.ts";

const ROWS: Rows = {
  ...serviceRows,
  ...fleetRows,
  ...workRows,
  ...peopleRows,
  ...policyRows,
  ...webhookRows,
};

/** Operations that answer with something else than their success, and why that is all that can be had here. */
const ANSWERS: Readonly<Record<string, { status: number; code: string }>> = {
  // A session is opened by upgrading the connection.
  openSession: { status: 426, code: "upgrade-required" },
  // A backup does not travel over the network.
  readBackup: { status: 403, code: "forbidden" },
};

/** What changes something and is in no audit log: what is said all the time, and what leaves everything as it is. */
const NOT_AUDITED: Readonly<Record<string, string>> = {
  sendFrames: "what nodes say all the time; what it leads to is audited",
  appendJobLog: "lines of a log",
  renewLease: "keeps what was given, every few seconds",
};

const document = (await openApiDocument("1.2.3")) as Json;
const operations = operationsOf(document);

test("every operation of the document is exercised, and no other", () => {
  expect(Object.keys(ROWS).sort()).toEqual(operations.map(({ id }) => id).sort());
});

describe("on a real coordinator", () => {
  let door: Door;
  beforeAll(async () => {
    door = await Door.open("[webhooks]\nallow_private = true");
    await door.publish("1.1.0");
  });
  afterAll(() => door[Symbol.asyncDispose]());

  const known = operations.filter(({ id }) => ROWS[id] !== undefined);
  test.each(known.map((operation) => [operation.id, operation] as const))(
    "%s answers as the document says",
    async (id, operation) => {
      const [method, path, call] = (await ROWS[id]?.(door)) ?? ["", ""];
      expect(`${method} ${path.split("?")[0]}`).toMatch(patternOf(operation));
      const before = await door.lastChange();
      const answer = await door.call(method, path, call);
      const { status, body, headers, text } = answer;
      expect({ id, status, code: body.code }).toEqual({ id, ...(ANSWERS[id] ?? success(operation)) });
      expect(wrong(operation, status, headers["content-type"], text)).toEqual([]);
      const isAudited = method !== "GET" && NOT_AUDITED[id] === undefined;
      const changes = (await door.changes(20)).filter((entry) => entry.id > before);
      expect({ id, audited: changes.length > 0 }).toEqual({ id, audited: isAudited });
      // Each says what was before or what is after, and these are not the same.
      const silent = changes.filter((entry) => JSON.stringify(entry.before) === JSON.stringify(entry.after));
      expect(silent).toEqual([]);
    },
  );
});

test("a dry run is another success of starting a rollout, and changes nothing", async () => {
  const [operation] = operations.filter(({ id }) => id === "startRollout");
  if (operation === undefined) throw new Error("no startRollout");
  expect(Object.keys(operation.responses).filter((each) => each.startsWith("2"))).toEqual(["200", "201"]);
  await using door = await Door.open();
  await door.publish("1.1.0");
  const { group } = await door.online();
  const before = await door.lastChange();
  const ask = { body: { selection: { groups: [group] } } };
  const plan = await door.call("POST", "/v1/rollouts?dryRun=true", ask);
  expect(plan.status).toBe(200);
  expect(wrong(operation, 200, plan.headers["content-type"], plan.text)).toEqual([]);
  expect(await door.lastChange()).toBe(before);
  expect((await door.call("POST", "/v1/rollouts?dryRun=perhaps", ask)).body.code).toBe("malformed");
  const tooMuch = { body: { ...ask.body, policy: { threshold: 2 } } };
  expect((await door.call("POST", "/v1/rollouts?dryRun=true", tooMuch)).body.code).toBe(
    "threshold-out-of-range",
  );
  expect((await door.call("POST", "/v1/rollouts?dryRun=false", ask)).status).toBe(201);
});

const patternOf = ({ method, path }: Operation): RegExp =>
  new RegExp(`^${method} ${path.replace("{path}", ".+").replace(/\{\w+\}/g, "[^/]+")}$`);

/** What an operation answers with when it has done what it is for, and no problem; of several successes the highest. */
function success({ responses }: Operation): { status: number; code: undefined } {
  const successes = Object.keys(responses).filter((each) => each.startsWith("2"));
  return { status: Math.max(...successes.map(Number)), code: undefined };
}

/** How an answer is not what the document says. */
function wrong({ responses }: Operation, status: number, type = "", text: string): string[] {
  const { content = {} } = responses[String(status)] ?? responses.default ?? {};
  const kind = Object.keys(content).find((each) => type.startsWith(each));
  const schema = kind === undefined ? undefined : content[kind]?.schema;
  if (kind === undefined || schema === undefined) return [`${type} is not in the document`];
  if (kind === "application/octet-stream") return [];
  return (VALUES[kind] ?? whole)(text).flatMap((value) => misfits(document, schema, JSON.parse(value)));
}

const whole = (text: string): string[] => [text];

/** The JSON values in an answer of several. */
const VALUES: Readonly<Record<string, (text: string) => string[]>> = {
  "application/x-ndjson": (text) => text.trimEnd().split("\n"),
  "text/plain": (text) => [JSON.stringify(text)],
  "text/event-stream": (text) => [...text.matchAll(/^data: (.*)$/gm)].map(([, data = ""]) => data),
};

test("an answer that is not as the document says is noticed", () => {
  const [listGroups] = operations.filter(({ id }) => id === "listGroups");
  if (listGroups === undefined) throw new Error("no listGroups");
  expect(wrong(listGroups, 200, "application/json", '{"groups":[]}')).not.toEqual([]);
  expect(wrong(listGroups, 200, "application/json", '{"groups":[{"name":1}],"next":null}')).not.toEqual([]);
  expect(wrong(listGroups, 200, "application/json", '{"groups":[],"next":null}')).toEqual([]);
  expect(wrong(listGroups, 200, "text/plain", "")).toEqual(["text/plain is not in the document"]);
});
