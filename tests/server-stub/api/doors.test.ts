import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PROTOCOL } from "../../../protocol/frames.ts";
import {
  AUDIENCES,
  type Audience,
  mayCall,
  PERMISSIONS,
  type RouteKey,
} from "../../../server-stub/api/permissions.ts";
import { startCoordinator, type TestCoordinator } from "../harness/coordinator.ts";
import { joinNode, type TestNode } from "../harness/node.ts";

const tokenFor = async (coordinator: TestCoordinator, role: string): Promise<string> => {
  const made = await coordinator.call("POST", "/v1/tokens", { body: { name: role, role } });
  return String(made.body.secret);
};

describe("the doors of a real coordinator", () => {
  let coordinator: TestCoordinator;
  let ann: TestNode;
  let tokens: Record<Audience, string | null>;
  beforeAll(async () => {
    coordinator = await startCoordinator();
    ann = await joinNode(coordinator, { name: "ann" });
    await joinNode(coordinator, { name: "bob", group: "other" });
    const pending = await joinNode(coordinator, { name: "carl", autoApprove: false });
    tokens = {
      anonymous: null,
      pending: pending.credential,
      node: ann.credential,
      viewer: await tokenFor(coordinator, "viewer"),
      operator: await tokenFor(coordinator, "operator"),
      admin: coordinator.adminToken,
    };
  });
  afterAll(() => coordinator.stop());

  /** An address of the route that names nothing that exists, so that being let in changes nothing. */
  const addressOf = (route: RouteKey): [method: string, path: string] => {
    const [method = "", url = ""] = route.split(" ");
    const path = url
      .replace(":nodeId", "n-zzzzzzzzzzzz")
      .replace(":jobId", "j-zzzzzzzzzzzz")
      .replace(":rolloutId", "r-zzzzzzzzzzzz")
      .replace(":group", "nobody")
      .replace(":tokenId", "nothing")
      .replace(":sha256", "0".repeat(64))
      .replace("*", "nothing")
      // A stream would not end: whoever is let in is told that there is no such kind.
      .replace("/v1/events", "/v1/events?kinds=nothing");
    return [method, path];
  };

  const cells = (Object.keys(PERMISSIONS) as RouteKey[]).flatMap((route) =>
    AUDIENCES.map((audience) => [route, audience] as const),
  );
  test.each(cells)("%s by %s is let in or refused as the table says", async (route, audience) => {
    const [method, path] = addressOf(route);
    const answer = await coordinator.call(method, path, {
      token: tokens[audience],
      // A member that nothing knows: whoever is let in goes no further than validation.
      ...(method === "GET" || method === "DELETE" ? {} : { body: { zzz: 1 } }),
    });
    const refused = answer.body.code === "unauthorized" || answer.body.code === "node-not-approved";
    const forbidden =
      answer.body.code === "forbidden" &&
      answer.body.context !== undefined &&
      "role" in (answer.body.context as object);
    expect({ let: !(refused || forbidden), status: answer.status < 500 || path === "/readyz" }).toEqual({
      let: mayCall(route, audience),
      status: true,
    });
    const asked = answer.headers.get("www-authenticate") !== null;
    expect(asked).toBe(answer.status === 401);
  });

  describe("bad input", () => {
    const H = { "content-type": "application/json" };
    test.each<
      [
        string,
        string,
        string,
        { body?: unknown; headers?: Record<string, string>; token?: null },
        number,
        string,
      ]
    >([
      ["an unknown address", "GET", "/v1/nothing", {}, 404, "not-found"],
      ["an unknown address without a credential", "GET", "/nothing", { token: null }, 404, "not-found"],
      ["another method", "PUT", "/v1/nodes", {}, 405, "method-not-allowed"],
      ["another method of a parametric address", "PUT", "/v1/groups/db/lease", {}, 405, "method-not-allowed"],
      ["a wrong type", "POST", "/v1/groups", { body: { name: 3 } }, 400, "malformed"],
      ["an unknown member", "POST", "/v1/groups", { body: { name: "db", colour: "red" } }, 400, "malformed"],
      ["a missing member", "POST", "/v1/rollouts", { body: {} }, 400, "malformed"],
      ["no body", "POST", "/v1/groups", {}, 400, "malformed"],
      [
        "a body where none is needed, with something in it",
        "POST",
        "/v1/nodes/n-zzzzzzzzzzzz/approve",
        { body: { a: 1 } },
        400,
        "malformed",
      ],
      ["a body that is not JSON", "POST", "/v1/groups", { body: "{", headers: H }, 400, "malformed"],
      [
        "a body that would poison objects",
        "POST",
        "/v1/groups",
        { body: '{"__proto__":{"name":"x"}}', headers: H },
        400,
        "malformed",
      ],
      [
        "a body of another kind",
        "POST",
        "/v1/groups",
        { body: "name=db", headers: { "content-type": "application/x-www-form-urlencoded" } },
        415,
        "unsupported-media-type",
      ],
      [
        "plain text",
        "POST",
        "/v1/groups",
        { body: "db", headers: { "content-type": "text/plain" } },
        415,
        "unsupported-media-type",
      ],
      [
        "a body that is too large",
        "POST",
        "/v1/groups",
        { body: { name: "x".repeat(300_000) } },
        413,
        "too-large",
      ],
      ["an id that cannot be one", "GET", "/v1/nodes/somebody", {}, 400, "malformed"],
      ["a name with a slash", "GET", "/v1/groups/a%2Fb", {}, 400, "malformed"],
      ["an unknown query", "GET", "/v1/nodes?colour=red", {}, 400, "malformed"],
      ["a limit that is no number", "GET", "/v1/nodes?limit=all", {}, 400, "malformed"],
      ["a limit that is too large", "GET", "/v1/nodes?limit=100000", {}, 400, "malformed"],
      ["a cursor of nobody's", "GET", "/v1/nodes?cursor=zzz", {}, 400, "cursor-invalid"],
      ["an address that cannot be decoded", "GET", "/v1/nodes/%ff%zz", {}, 400, "malformed"],
      ["a node that is not there", "GET", "/v1/nodes/n-zzzzzzzzzzzz", {}, 404, "not-found"],
      ["a group that is not there", "GET", "/v1/groups/nobody/lease", {}, 404, "not-found"],
      [
        "a rollout of nobody",
        "POST",
        "/v1/rollouts",
        { body: { selection: { groups: ["nobody"] } } },
        404,
        "not-found",
      ],
      [
        "a join token of nobody",
        "POST",
        "/v1/join",
        { body: { token: "x", name: "x" }, token: null },
        403,
        "join-token-invalid",
      ],
      [
        "an upload of another kind",
        "PUT",
        `/v1/releases/uploads/${"0".repeat(64)}`,
        { body: {} },
        415,
        "unsupported-media-type",
      ],
      [
        "an upload of other bytes",
        "PUT",
        `/v1/releases/uploads/${"0".repeat(64)}`,
        { body: "x", headers: { "content-type": "application/octet-stream" } },
        422,
        "upload-mismatch",
      ],
      ["a session without a WebSocket", "GET", "/v1/session", {}, 403, "forbidden"],
    ])("%s", async (_, method, path, options, status, code) => {
      const answer = await coordinator.call(method, path, options);
      expect(answer.status).toBe(status);
      expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json/);
      expect(answer.body).toMatchObject({ status, title: expect.any(String), detail: expect.any(String) });
      expect(answer.body.code).toBe(code);
      expect(answer.body.type).toBe(`urn:baton:problem:${String(answer.body.code)}`);
      expect(answer.body.requestId).toBe(answer.headers.get("x-request-id"));
      await coordinator.heard(
        ({ requestId, code }) => requestId === answer.body.requestId && code === answer.body.code,
      );
    });

    test("is logged with its request id and the code that it was answered with", async () => {
      const answer = await coordinator.call("GET", "/v1/nodes/somebody");
      const line = await coordinator.heard(({ requestId }) => requestId === answer.body.requestId);
      expect(line).toMatchObject({ msg: "refused", status: 400, code: "malformed", caller: "admin" });
    });

    test("a method that is not allowed is told which are", async () => {
      const answer = await coordinator.call("PUT", "/v1/groups/db");
      expect(answer.headers.get("allow")).toBe("DELETE, GET, HEAD, PATCH");
    });

    test.each(["Bearer nonsense", "Bearer", "Basic YTpi", `Bearer ${"x".repeat(5000)}`])(
      "the credential %.20s is nobody's",
      async (authorization) => {
        const answer = await coordinator.call("GET", "/v1/nodes", {
          token: null,
          headers: { authorization },
        });
        expect(answer).toMatchObject({ status: 401, body: { code: "unauthorized" } });
      },
    );
  });

  test("lists come in pages that a cursor joins", async () => {
    const first = await coordinator.call("GET", "/v1/nodes?limit=2");
    const names = (answer: { body: Record<string, unknown> }) =>
      (answer.body.nodes as { name: string }[]).map(({ name }) => name);
    expect(names(first)).toEqual(["ann", "bob"]);
    const second = await coordinator.call("GET", `/v1/nodes?limit=2&cursor=${String(first.body.next)}`);
    expect(names(second)).toEqual(["carl"]);
    expect(second.body.next).toBeNull();
  });

  test("health, version and the API's description need no credential", async () => {
    const health = await coordinator.call("GET", "/healthz", { token: null });
    expect(health.body).toEqual({ status: "ok" });
    const version = await coordinator.call("GET", "/v1/version", { token: null });
    expect(version.body).toMatchObject({ protocol: PROTOCOL });
    const document = await coordinator.call("GET", "/openapi.json", { token: null });
    expect(document.body).toMatchObject({ openapi: "3.1.0" });
  });

  test("an expired or revoked token is nobody's", async () => {
    const made = await coordinator.call("POST", "/v1/tokens", { body: { name: "gone", role: "viewer" } });
    const { id } = made.body.token as { id: string };
    const secret = String(made.body.secret);
    expect((await coordinator.call("GET", "/v1/nodes", { token: secret })).status).toBe(200);
    expect((await coordinator.call("POST", `/v1/tokens/${id}/revoke`)).status).toBe(200);
    expect((await coordinator.call("GET", "/v1/nodes", { token: secret })).status).toBe(401);
  });

  test("changes are in the audit log, with who, what and from where", async () => {
    const audit = await coordinator.call("GET", "/v1/audit?limit=1000");
    const entries = audit.body.entries as { actor: string; action: string; subject: string; from: string }[];
    expect(entries.length).toBeGreaterThan(3);
    expect(entries.some(({ from }) => from === "control socket" || from === "127.0.0.1")).toBe(true);
  });
});
