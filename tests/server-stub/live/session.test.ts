import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import WebSocket from "ws";
import { MAX_FRAME_BYTES, SUBPROTOCOL } from "../../../protocol/frames.ts";
import { startCoordinator, type TestCoordinator } from "../harness/coordinator.ts";
import { greet, heartbeatOf, helloOf, joinNode, openSocket, type TestNode } from "../harness/node.ts";

describe("a session over WebSocket", () => {
  let coordinator: TestCoordinator;
  let node: TestNode;
  beforeAll(async () => {
    coordinator = await startCoordinator();
    node = await joinNode(coordinator, { name: "ann" });
  });
  afterAll(() => coordinator.stop());

  test("hello is welcomed, and a heartbeat that echoes its nonce makes the node present", async () => {
    const socket = await openSocket(coordinator, node.credential);
    const instanceId = randomUUID();
    const session = await greet(socket, instanceId);
    socket.send(heartbeatOf(session, 1, instanceId));
    expect(await socket.next()).toMatchObject({ type: "orders", session });
    const seen = await coordinator.call("GET", `/v1/nodes/${node.nodeId}`);
    expect(seen.body).toMatchObject({ presence: "online", build: { version: "1.0.0" } });
    socket.socket.close();
    await socket.closed;
  });

  test("the same heartbeat again is answered each time, and not when it is sent twice; then what is new counts", async () => {
    const socket = await openSocket(coordinator, node.credential);
    const instanceId = randomUUID();
    const session = await greet(socket, instanceId);
    for (let seq = 1; seq <= 5; seq += 1) {
      socket.send(heartbeatOf(session, seq, instanceId));
      expect(await socket.next()).toMatchObject({ type: "orders", session, seq });
    }
    socket.send(heartbeatOf(session, 5, instanceId));
    expect(await socket.next()).toMatchObject({ type: "refused", code: "stale-seq" });
    socket.send({ ...heartbeatOf(session, 6, instanceId), health: { healthy: false } });
    await socket.next();
    const seen = await coordinator.call("GET", `/v1/nodes/${node.nodeId}`);
    expect(seen.body).toMatchObject({ health: { healthy: false } });
    socket.socket.close();
    await socket.closed;
  });

  test.each<[string, string | Buffer]>([
    ["text that is not JSON", "hello?"],
    ["a frame of no known kind", '{"type":"greeting"}'],
    ["a hello with an unknown member", JSON.stringify({ ...helloOf(), colour: "red" })],
    ["a frame of the coordinator", '{"type":"refused","code":"malformed","message":"x"}'],
    ["an empty message", ""],
    ["a binary message", Buffer.from("{}")],
  ])("%s closes it with 4002, logged", async (_, message) => {
    const socket = await openSocket(coordinator, node.credential);
    const logged = coordinator.logged.length;
    socket.socket.send(message);
    expect((await socket.closed).code).toBe(4002);
    expect(coordinator.logged.slice(logged)).toContainEqual(
      expect.objectContaining({ msg: expect.stringContaining("malformed frame"), nodeId: node.nodeId }),
    );
  });

  test("what follows a malformed frame does not count", async () => {
    const socket = await openSocket(coordinator, node.credential);
    const instanceId = randomUUID();
    socket.send("nonsense");
    socket.send(helloOf(instanceId));
    await socket.closed;
    const opened = coordinator.logged.filter((line) => line.instanceId === instanceId);
    expect(opened).toEqual([]);
  });

  test("a message that is too large closes it with 1009", async () => {
    const socket = await openSocket(coordinator, node.credential);
    socket.send("x".repeat(MAX_FRAME_BYTES + 1));
    expect((await socket.closed).code).toBe(1009);
  });

  test("bytes that are no WebSocket frames close it, and nothing else is disturbed", async () => {
    const socket = await openSocket(coordinator, node.credential);
    // The raw connection below the client: a frame with reserved bits set.
    (socket.socket as unknown as { _socket: { write(bytes: Buffer): void } })._socket.write(
      Buffer.from([0xff, 0xff, 0xff]),
    );
    expect([1002, 1006]).toContain((await socket.closed).code);
    expect((await coordinator.call("GET", "/healthz")).status).toBe(200);
  });

  test("a frame of another session is refused and counts for nothing", async () => {
    const socket = await openSocket(coordinator, node.credential);
    const instanceId = randomUUID();
    await greet(socket, instanceId);
    socket.send(heartbeatOf("0".repeat(32), 1, instanceId));
    expect(await socket.next()).toMatchObject({ type: "refused", code: "unknown-session" });
    socket.socket.close();
    await socket.closed;
  });

  test("a newer process closes the older one's connection with 4001", async () => {
    const older = await openSocket(coordinator, node.credential);
    await greet(older, randomUUID());
    const newer = await openSocket(coordinator, node.credential);
    await greet(newer, randomUUID());
    expect((await older.closed).code).toBe(4001);
    newer.socket.close();
    await newer.closed;
  });

  test("a connection that says nothing does not disturb the one that speaks", async () => {
    const speaking = await openSocket(coordinator, node.credential);
    const instanceId = randomUUID();
    const session = await greet(speaking, instanceId);
    const silent = await openSocket(coordinator, node.credential);
    speaking.send(heartbeatOf(session, 1, instanceId));
    expect(await speaking.next()).toMatchObject({ type: "orders" });
    for (const each of [silent, speaking]) {
      each.socket.close();
      await each.closed;
    }
  });

  test("revoking the node closes it with 4003, and it does not come in again", async () => {
    const gone = await joinNode(coordinator, { name: "gone" });
    const socket = await openSocket(coordinator, gone.credential);
    await greet(socket, randomUUID());
    await coordinator.call("POST", `/v1/nodes/${gone.nodeId}/revoke`);
    expect((await socket.closed).code).toBe(4003);
    await expect(openSocket(coordinator, gone.credential)).rejects.toThrow("401");
  });

  test.each<
    [string, (node: TestNode) => { headers?: Record<string, string>; protocol?: string }, number, string]
  >([
    ["no credential", () => ({}), 401, "unauthorized"],
    ["a credential of nobody", () => ({ headers: { authorization: "Bearer x" } }), 401, "unauthorized"],
    [
      "another subprotocol",
      ({ credential }) => ({ headers: { authorization: `Bearer ${credential}` }, protocol: "chat" }),
      400,
      "malformed",
    ],
    [
      "another node's id",
      ({ credential }) => ({
        headers: { authorization: `Bearer ${credential}`, "baton-node": "n-000000000000" },
      }),
      403,
      "forbidden",
    ],
  ])("the upgrade is refused for %s, with a problem, logged", async (_, optionsFor, status, code) => {
    const { headers = {}, protocol = SUBPROTOCOL } = optionsFor(node);
    const socket = new WebSocket(`${coordinator.url.replace("http", "ws")}/v1/session`, protocol, {
      headers,
    });
    const [, response] = (await once(socket, "unexpected-response")) as [
      unknown,
      import("node:http").IncomingMessage,
    ];
    let text = "";
    for await (const part of response) text += String(part);
    const problem = JSON.parse(text) as Record<string, unknown>;
    expect({ status: response.statusCode, code: problem.code }).toEqual({ status, code });
    expect(response.headers["content-type"]).toBe("application/problem+json");
    await coordinator.heard(({ requestId }) => requestId === problem.requestId);
  });

  test("an operator's token opens no session", async () => {
    await expect(openSocket(coordinator, coordinator.adminToken)).rejects.toThrow("403");
  });

  test("a wish to upgrade elsewhere, or to something else, is answered as the request that it is", async () => {
    const answer = await rawRequest(
      coordinator,
      "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    const h2c = await rawRequest(
      coordinator,
      "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n",
    );
    expect(h2c).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("what is not even HTTP is told so", async () => {
    const answer = await rawRequest(coordinator, "\u0016\u0003\u0001nonsense\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('"code":"malformed"');
  });

  test("without a WebSocket the same frames go by HTTP", async () => {
    const instanceId = randomUUID();
    const hello = await coordinator.call("POST", "/v1/heartbeat", {
      token: node.credential,
      body: { frames: [helloOf(instanceId)] },
    });
    const [welcome] = hello.body.frames as { type: string; session: string }[];
    expect(welcome?.type).toBe("welcome");
    const beat = await coordinator.call("POST", "/v1/heartbeat", {
      token: node.credential,
      body: { frames: [heartbeatOf(welcome?.session ?? "", 1, instanceId)] },
    });
    expect(beat.body.frames).toMatchObject([{ type: "orders", session: welcome?.session }]);
  });

  test("a coordinator that goes away says 1001, and its sessions are gone when it is back", async () => {
    const socket = await openSocket(coordinator, node.credential);
    const instanceId = randomUUID();
    const session = await greet(socket, instanceId);
    await coordinator.restart();
    expect((await socket.closed).code).toBe(1001);
    const again = await openSocket(coordinator, node.credential);
    again.send(heartbeatOf(session, 1, instanceId));
    expect(await again.next()).toMatchObject({ type: "refused", code: "unknown-session" });
    again.socket.close();
    await again.closed;
  });
});

/** Sends bytes as they are and answers what came until the connection fell silent or closed. */
function rawRequest(coordinator: TestCoordinator, text: string): Promise<string> {
  const { hostname, port } = new URL(coordinator.url);
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.on("data", (part: Buffer) => {
      answer += part.toString();
      if (answer.includes("}")) socket.end();
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });
}
