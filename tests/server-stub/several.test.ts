/** Several coordinators on one PostgreSQL database: one decides, the others hand on what needs it. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { expect, test } from "vitest";
import { TokenList } from "../../protocol/access.ts";
import { asLocal } from "../../server-stub/local.ts";
import { EventReader } from "./harness/event-reader.ts";
import { heartbeatOf, helloOf, joinNode, openSocket } from "./harness/node.ts";
import { severalCoordinators } from "./harness/several.ts";
import { numberOf, readScrape } from "./metrics/scrape.ts";

const says = (message: string) => (line: Record<string, unknown>) => String(line.msg).includes(message);

test("whoever is asked, one decides; and when that one stops, another does, and streams go on", async () => {
  await using several = await severalCoordinators();
  const a = await several.start("a");
  const b = await several.start("b", "[metrics]\npublic = true");
  await b.heard(says("another coordinator decides"));
  const events = await EventReader.open(b.url, { token: several.adminToken });

  const node = await joinNode(b, { name: "one" });
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
  let told: unknown;
  while (told !== "online")
    told = ((await events.nextOf("node")).value as { presence?: unknown } | null)?.presence;
  expect((await b.call("GET", "/readyz")).body).toMatchObject({ ready: true });
  const scrape = readScrape(await (await fetch(`${b.url}/metrics`)).text());
  expect(numberOf(scrape, "baton_seat")).toBe(0);

  await a.stop();
  await socket.closed;
  await b.heard(says("this coordinator decides"));
  const two = await joinNode(b, { name: "two" });
  let subject = "";
  while (subject !== two.nodeId) subject = (await events.nextOf("node")).subject;
  events.close();
});

test("coordinators reach each other by TLS, and an administrator's socket leads to the one that decides", async () => {
  const [cert, key] = ["crt", "key"].map((end) => join(import.meta.dirname, `../testdata/tls/first.${end}`));
  const tls = `[tls]\ncert_file = "${cert}"\nkey_file = "${key}"\n[replicas]\nserver_name = "localhost"\n`;
  await using several = await severalCoordinators();
  await several.start("a", `${tls}ca_file = "${cert}"`);
  const b = await several.start("b", `${tls}ca_file = "${cert}"`);
  await b.heard(says("another coordinator decides"));
  const list = () => asLocal(b.config, (local) => local.call("GET", "/v1/tokens", TokenList));
  expect((await list()).tokens).toHaveLength(1);
  const c = await several.start("c", tls);
  const distrusted = asLocal(c.config, (local) => local.call("GET", "/v1/tokens", TokenList));
  await expect(distrusted).rejects.toThrow("could not be reached");
});
