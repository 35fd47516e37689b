/** One request can be followed by its id: from the answer, through the log, to the audit log. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import WebSocket from "ws";
import { SUBPROTOCOL } from "../../protocol/frames.ts";
import { startCoordinator, type TestCoordinator } from "./harness/coordinator.ts";
import { helloOf } from "./harness/node.ts";

let coordinator: TestCoordinator;
beforeAll(async () => {
  coordinator = await startCoordinator();
});
afterAll(() => coordinator.stop());

describe("a request", () => {
  test("keeps the id that its caller gave it, in the answer, the log and the audit log", async () => {
    const headers = { "x-request-id": "from-a-person:42" };
    const made = await coordinator.call("POST", "/v1/groups", { body: { name: "web" }, headers });
    expect(made.headers.get("x-request-id")).toBe("from-a-person:42");
    const { body } = await coordinator.call("GET", "/v1/audit");
    expect(body.entries).toContainEqual(
      expect.objectContaining({ action: "group.created", requestId: "from-a-person:42" }),
    );
    for (const msg of ["group.created", "answered"])
      await coordinator.heard((line) => line.msg === msg && line.requestId === "from-a-person:42");
  });

  test.each(["", "two words", "x".repeat(129), "line\\u000abreak", "{json}"])(
    "is given one when its caller's is not fit for a log: %j",
    async (given) => {
      const answer = await coordinator.call("GET", "/healthz", { headers: { "x-request-id": given } });
      expect(answer.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    },
  );

  test("is not mixed up with those that are at work beside it", async () => {
    const names = Array.from({ length: 20 }, (_, index) => `g${index}`);
    await Promise.all(
      names.map((name) =>
        coordinator.call("POST", "/v1/groups", {
          body: { name },
          headers: { "x-request-id": `ask-${name}` },
        }),
      ),
    );
    const { body } = await coordinator.call("GET", "/v1/audit?limit=100");
    const entries = body.entries as { subject: string; requestId?: string }[];
    for (const name of names)
      expect(entries.find(({ subject }) => subject === name)?.requestId).toBe(`ask-${name}`);
  });
});

describe("what comes over a WebSocket", () => {
  test("is logged under the id of the connection's upgrade", async () => {
    const { body } = await coordinator.call("POST", "/v1/join-tokens", {
      body: { group: "web", autoApprove: true },
    });
    const joined = await coordinator.call("POST", "/v1/join", {
      token: null,
      body: { token: body.secret, name: "a" },
    });
    const socket = new WebSocket(`${coordinator.url.replace("http", "ws")}/v1/session`, SUBPROTOCOL, {
      headers: { authorization: `Bearer ${String(joined.body.credential)}`, "x-request-id": "upgrade-1" },
    });
    try {
      await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
      socket.send(JSON.stringify(helloOf()));
      const line = await coordinator.heard(({ msg }) => msg === "session opened");
      expect(line).toMatchObject({ requestId: "upgrade-1", nodeId: joined.body.nodeId });
    } finally {
      socket.close();
    }
  });
});

describe("a change that the coordinator makes by itself", () => {
  test("has no request", async () => {
    const { body } = await coordinator.call("GET", "/v1/audit?limit=1000");
    const own = (body.entries as { actor: string }[]).filter(({ actor }) => actor === "coordinator");
    for (const entry of own) expect(entry).not.toHaveProperty("requestId");
  });
});
