/**
 * What no coordinator can be spared: `ws` on Node's HTTP server, which takes the same frames and answers with frames of
 * the same shape. It parses JSON, and knows nothing else: no schemas, no store, no rules, nobody's credential. Prints
 * its port when it listens.
 */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import type { AgentFrame, Orders, Welcome } from "../../protocol/frames.ts";
import { SUBPROTOCOL } from "../../protocol/frames.ts";

const heartbeatMs = Number(process.argv[2]);
const server = createServer((request, response) => {
  // Joining: everybody may.
  request.resume().on("end", () => {
    const id = `n-${randomUUID().slice(0, 12)}`;
    response.writeHead(201, { "content-type": "application/json" });
    response.end(JSON.stringify({ nodeId: id, name: id, group: "bare", credential: randomUUID() }));
  });
});
const door = new WebSocketServer({
  server,
  clientTracking: false,
  perMessageDeflate: false,
  handleProtocols: () => SUBPROTOCOL,
});
door.on("connection", (socket) => {
  let session = "";
  let seq = 0;
  socket.on("message", (data: Buffer) => {
    const frame = JSON.parse(data.toString()) as AgentFrame;
    if (frame.type === "hello") {
      session = randomUUID();
      seq = 0;
      const welcome: Welcome = { ...WELCOME, session, heartbeatMs };
      socket.send(JSON.stringify(welcome));
      return;
    }
    seq += 1;
    const orders: Orders = { type: "orders", session, seq, ...NOTHING };
    socket.send(JSON.stringify(orders));
  });
});
const WELCOME = {
  type: "welcome",
  nodeId: "n-000000000000",
  name: "bare",
  group: "bare",
  protocol: 2,
} as const;
const NOTHING = { desired: null, turn: null, waiting: null, confirm: null, acknowledged: [], logNext: [] };

server.listen({ port: 0, host: "127.0.0.1", backlog: 4_096 }, () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
process.on("disconnect", () => process.exit(0));
