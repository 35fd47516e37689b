/** What the runbook says of checking a message, run on messages that were really sent. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Receiver } from "../server-stub/harness/receiver.ts";
import { ADMIN, House, must } from "../server-stub/service/house.ts";
import { ROOT } from "./pages.ts";

type IsGenuine = (secret: string, headers: object, body: string, now?: number) => boolean;

async function exampleOf(page: string): Promise<IsGenuine> {
  const text = await readFile(join(ROOT, page), "utf8");
  const code = /^```js\n(import \{ createHmac[\s\S]*?)^```$/m.exec(text)?.[1] ?? "";
  const module = `data:text/javascript,${encodeURIComponent(code)}`;
  return ((await import(module)) as { isGenuine: IsGenuine }).isGenuine;
}

test("the example in the runbook takes what is genuine, and nothing else", async () => {
  const isGenuine = await exampleOf("docs/OPERATIONS.md");
  await using house = await House.build();
  await using receiver = await Receiver.listen();
  const { webhook, secret } = must(await house.baton.webhooks.create(ADMIN, { url: receiver.url }));
  expect(must(await house.baton.webhooks.test(ADMIN, webhook.id)).status).toBe("delivered");
  const [{ headers, body } = { headers: {}, body: "" }] = receiver.received;
  const now = house.clock.now();
  expect(isGenuine(secret, headers, body, now)).toBe(true);
  expect(isGenuine(`${secret}x`, headers, body, now)).toBe(false);
  expect(isGenuine(secret, headers, `${body} `, now)).toBe(false);
  expect(isGenuine(secret, headers, body, now + 301_000)).toBe(false);
  expect(isGenuine(secret, {}, body, now)).toBe(false);
});
