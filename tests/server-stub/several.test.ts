/** Several coordinators on one PostgreSQL database: one decides, the others hand on what needs it. */
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { heartbeatOf, helloOf, joinNode, openSocket } from "./harness/node.ts";
import { severalCoordinators } from "./harness/several.ts";

const says = (message: string) => (line: Record<string, unknown>) => String(line.msg).includes(message);

test("whoever is asked, one decides; and when that one stops, another does", async () => {
  await using several = await severalCoordinators();
  const a = await several.start("a");
  await a.heard(says("this coordinator decides"));
  const b = await several.start("b");
  await b.heard(says("another coordinator decides"));

  const node = await joinNode(b, { name: "one" });
  const audit = await a.call("GET", "/v1/audit");
  expect(audit.status).toBe(200);
  const socket = await openSocket(b, node.credential);
  const instanceId = randomUUID();
  socket.send(helloOf(instanceId));
  const welcome = await socket.next();
  if (welcome.type !== "welcome") throw new Error(JSON.stringify(welcome));
  socket.send(heartbeatOf(welcome.session, 1, instanceId));
  expect((await socket.next()).type).toBe("orders");
  for (const each of [a, b]) {
    const shown = await each.call("GET", `/v1/nodes/${node.nodeId}`);
    expect(shown.body).toMatchObject({ name: "one", presence: "online" });
  }
  expect((await b.call("GET", "/readyz")).body).toMatchObject({ ready: true });

  await a.stop();
  await b.heard(says("this coordinator decides"));
  await socket.closed;
  expect((await b.call("GET", `/v1/nodes/${node.nodeId}`)).status).toBe(200);
  expect(await joinNode(b, { name: "two" })).toMatchObject({ name: "two" });
});
