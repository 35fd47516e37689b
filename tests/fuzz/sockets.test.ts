import { once } from "node:events";
import { connect } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startCoordinator, type TestCoordinator } from "../server-stub/harness/coordinator.ts";
import { joinNode, type TestNode } from "../server-stub/harness/node.ts";
import { nastyText } from "./generate/nasty.ts";
import { campaignOf, tryOut } from "./target.ts";
import { toAgent, toCoordinator } from "./targets/sockets.ts";

const campaign = campaignOf(process.env);

let coordinator: TestCoordinator;
let node: TestNode;
beforeAll(async () => {
  coordinator = await startCoordinator();
  node = await joinNode(coordinator, { name: "ann" });
});
afterAll(() => coordinator.stop());

const targets = [toCoordinator(() => ({ coordinator, node })), toAgent];

test.each(targets.map((target) => [target.name, target] as const))("%s", async (_, target) => {
  expect(await tryOut(target, campaign)).toBeNull();
});

/** What is hardly HTTP, or two requests at once for whoever reads them in another way. */
const requests = fc.oneof(
  nastyText,
  fc.constantFrom(
    "GET / HTTP/0.9\r\n\r\n",
    "GET /healthz HTTP/1.1\r\n\r\n",
    "GET /healthz HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n",
    "POST /v1/join HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    "POST /v1/join HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
    "POST /v1/join HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nZZZ\r\n",
    `GET /${"a".repeat(100_000)} HTTP/1.1\r\nhost: x\r\n\r\n`,
    `GET / HTTP/1.1\r\nhost: x\r\n${"x: y\r\n".repeat(5_000)}\r\n`,
    "GET /v1/session HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
    "GET /v1/session HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-key: \u0000\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "\u0016\u0003\u0001\u0002\u0000",
  ),
);

test("whatever comes over a connection, it is refused or ends, and the next is served", async () => {
  const target = {
    name: "whatever comes over a connection",
    runs: 30,
    property: fc.asyncProperty(requests, async (bytes) => {
      const { hostname, port } = new URL(coordinator.url);
      const socket = connect(Number(port), hostname);
      await once(socket, "connect");
      let answer = "";
      socket.setEncoding("latin1").on("data", (text: string) => {
        answer += text;
      });
      socket.on("error", () => undefined);
      const closed = once(socket, "close");
      socket.end(bytes, "latin1");
      await closed;
      if (/^HTTP\/1\.1 5/m.test(answer)) throw new Error(answer.slice(0, 500));
      const health = await coordinator.call("GET", "/healthz", { token: null });
      if (health.status !== 200) throw new Error(`its health is ${health.status}`);
    }),
  };
  expect(await tryOut(target, campaign)).toBeNull();
  expect(coordinator.logged.filter(({ msg }) => String(msg).includes("unforeseen"))).toEqual([]);
});
