import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { JoinReply, JoinRequest } from "../../protocol/access.ts";
import { FleetEvent } from "../../protocol/event.ts";
import { FleetLockError, FleetLockRequest } from "../../protocol/fleet-lock.ts";
import * as frames from "../../protocol/frames.ts";
import * as lease from "../../protocol/lease.ts";
import { parseJson } from "../../protocol/parse.ts";
import { PROBLEM_STATUS, Problem } from "../../protocol/problem.ts";
import type { TSchema } from "../../protocol/schema.ts";
import { WebhookMessage } from "../../protocol/webhook.ts";

const SCHEMAS: Readonly<Record<string, TSchema>> = {
  JoinRequest,
  JoinReply,
  Problem,
  Hello: frames.Hello,
  Heartbeat: frames.Heartbeat,
  Log: frames.Log,
  Diagnosis: frames.Diagnosis,
  Welcome: frames.Welcome,
  Orders: frames.Orders,
  Refused: frames.Refused,
  AgentFrames: frames.AgentFrames,
  CoordinatorFrames: frames.CoordinatorFrames,
  ReserveRequest: lease.ReserveRequest,
  ReserveReply: lease.ReserveReply,
  RenewRequest: lease.RenewRequest,
  CommitRequest: lease.CommitRequest,
  CommitReply: lease.CommitReply,
  FleetEvent,
  FleetLockRequest,
  FleetLockError,
  WebhookMessage,
};

describe("docs/PROTOCOL.md", () => {
  let page: string;
  let examples: readonly (readonly [name: string, text: string])[];
  beforeAll(async () => {
    page = await readFile(join(import.meta.dirname, "../../docs/PROTOCOL.md"), "utf8");
    examples = [...page.matchAll(/^```json(?: (\w+))?\n([\s\S]*?)^```$/gm)].map(
      ([, name = "", text = ""]) => [name, text] as const,
    );
  });

  test("has an example of every frame and lease request, each one as its schema has it", () => {
    expect(new Set(examples.map(([name]) => name))).toEqual(new Set(Object.keys(SCHEMAS)));
    for (const [name, text] of examples) {
      const schema = SCHEMAS[name];
      if (schema === undefined) throw new Error(`an example is of ${name}, which is no schema`);
      expect(parseJson(schema, text, name)).toMatchObject({ ok: true });
    }
  });

  test("would notice an example that is wrong", () => {
    const hello = examples.find(([name]) => name === "Hello")?.[1] ?? "";
    expect(parseJson(frames.Hello, hello.replace('"runtime"', '"runtim"'), "Hello").ok).toBe(false);
  });

  test("names every close code of our own, and the limits, as they are", () => {
    for (const code of Object.values(frames.CLOSE))
      expect(page).toMatch(new RegExp(`^\\|\\s+${code}\\s+\\|`, "m"));
    expect(page).toContain(frames.SUBPROTOCOL);
    expect(page).toContain(frames.MAX_FRAME_BYTES.toLocaleString("en"));
    expect(page).toContain(`**protocol ${frames.PROTOCOL}**`);
  });

  test("lists every problem code with its status, and no other", () => {
    const listed = [...page.matchAll(/^\|\s+`([a-z-]+)`\s+\|\s+(\d{3})\s+\|/gm)].map(([, code, status]) => [
      code,
      Number(status),
    ]);
    expect(Object.fromEntries(listed)).toEqual(PROBLEM_STATUS);
    expect(listed).toHaveLength(Object.keys(PROBLEM_STATUS).length);
  });
});
