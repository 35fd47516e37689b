/** A whole session of administration, and where its secrets went: each into one answer, and nowhere else. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Door } from "../harness/door.ts";

test("every secret is answered once, and is in no log line, no other answer and no file", async () => {
  await using door = await Door.open("[webhooks]\nallow_private = true");
  await door.publish("1.1.0");
  const given: string[] = [];
  const give = async (path: string, body: object, token: string | null = door.adminToken) => {
    const headers = { "idempotency-key": door.fresh("key") };
    const answer = await door.call("POST", path, { body, token, headers });
    expect(answer.status).toBe(201);
    const secret = String(answer.body.secret ?? answer.body.credential);
    given.push(secret);
    await door.call("POST", path, { body, token, headers });
    return { secret, ...answer.body } as { secret: string; id: string; nodeId: string };
  };

  const group = await door.group({ mode: "quorum" });
  const operator = await give("/v1/tokens", { name: "ann", role: "operator" });
  const viewer = await give("/v1/tokens", { name: "bob", role: "viewer", ttlMs: 60_000 });
  const joining = await give("/v1/join-tokens", { group, uses: 3, ttlMs: 600_000 });
  const other = await give("/v1/join-tokens", { group, autoApprove: true });
  const nodes = [];
  for (const name of ["one", "two"]) {
    nodes.push(await give("/v1/join", { token: joining.secret, name }, null));
  }
  await give("/v1/join", { token: other.secret, name: "three" }, null);
  const hook = { url: "http://127.0.0.1:9/hook" };
  const { webhook } = (await give("/v1/webhooks", hook)) as unknown as { webhook: { id: string } };
  const [one, two] = nodes;
  const browsing = await signIns(door, operator.secret);

  const asked: [string, string, object?][] = [
    ["POST", `/v1/nodes/${one?.nodeId}/approve`],
    ["POST", `/v1/nodes/${two?.nodeId}/reject`],
    ["PATCH", `/v1/nodes/${one?.nodeId}`, { labels: { owner: "ann" } }],
    ["GET", `/v1/nodes/${one?.nodeId}/removal`],
    ["GET", "/v1/tokens"],
    ["GET", "/v1/join-tokens"],
    ["POST", `/v1/join-tokens/${joining.id}/revoke`],
    ["GET", "/v1/nodes"],
    ["POST", `/v1/nodes/${one?.nodeId}/revoke`],
    ["DELETE", `/v1/nodes/${one?.nodeId}`],
    ["GET", "/v1/audit?limit=1000"],
    ["GET", "/v1/audit/export"],
    ["POST", `/v1/webhooks/${webhook.id}/test`],
    ["GET", `/v1/webhooks/${webhook.id}`],
    ["GET", `/v1/webhooks/${webhook.id}/deliveries`],
    ["GET", "/v1/alerts"],
    ["GET", "/readyz"],
  ];
  for (const [method, path, body] of asked) await door.must(method, path, { body });
  // Secrets that are used, wrongly or late, and in the wrong places.
  for (const secret of [operator.secret, viewer.secret, joining.secret, one?.secret ?? ""]) {
    await door.call("GET", "/v1/nodes", { token: secret });
    await door.call("POST", "/v1/join", { token: null, body: { token: secret, name: "four" } });
    await door.call("POST", "/v1/groups", { body: { name: 3, secret } });
    await door.call("GET", "/v1/tokens", { headers: { "baton-node": secret } });
  }
  // What browsers have, in the places of tokens and of each other, and once more where it was good for once.
  for (const secret of [...browsing.links, ...browsing.cookies]) {
    await door.call("GET", "/v1/nodes", { token: secret });
    await door.call("GET", "/v1/nodes", { token: null, headers: { cookie: `__Host-baton=${secret}x` } });
    await door.call("POST", "/v1/sign-in", { token: null, headers: OURS, body: { link: secret } });
    await door.call("POST", "/v1/sign-in", { token: null, headers: OURS, body: { token: secret } });
    await door.call("POST", "/v1/sign-in", {
      token: null,
      headers: OURS,
      body: { token: secret, more: secret },
    });
  }
  await door.must("GET", "/v1/audit?limit=1000");
  await door.tick(5_000);

  expect(new Set(given).size).toBe(8);
  const logs = door.logged.join("");
  for (const secret of given) {
    expect(secret).toMatch(/^baton_(operator|join|node|webhook)_[\w-]{43}$/);
    expect(logs.includes(secret)).toBe(false);
    // The line for a join token carries its secret as well: still the same answer.
    expect(door.answered.filter((text) => text.includes(secret))).toHaveLength(1);
  }
  for (const secret of [...browsing.links, ...browsing.cookies]) {
    expect(secret).toMatch(/[\w-]{43}$/);
    expect(logs.includes(secret), "a log line has it").toBe(false);
  }
  // A link is one answer; a cookie is a header, and no answer at all.
  for (const secret of browsing.links)
    expect(door.answered.filter((text) => text.includes(secret))).toHaveLength(1);
  for (const secret of browsing.cookies)
    expect(door.answered.filter((text) => text.includes(secret))).toHaveLength(0);
  const { dir } = door.publisher;
  for (const name of (await readdir(dir)).filter((each) => each.startsWith("coordinator.db"))) {
    const bytes = await readFile(join(dir, name), "latin1");
    // What a webhook's messages are signed with has to be kept as it is.
    const hashed = [...given, ...browsing.links, ...browsing.cookies].filter(
      (secret) => !secret.startsWith("baton_webhook_"),
    );
    for (const secret of hashed) expect(bytes.includes(secret)).toBe(false);
  }
});

/** As our own page sends it. */
const OURS = { "baton-dashboard": "1", "sec-fetch-site": "same-origin" };

/** Two browsers sign in, by a token and by a link, and look around; one of them signs out. */
async function signIns(
  door: Door,
  token: string,
): Promise<{ readonly links: readonly string[]; readonly cookies: readonly string[] }> {
  const unused = await door.must("POST", "/v1/sign-in-links", { token, body: {} });
  const used = await door.must("POST", "/v1/sign-in-links", { token, body: {} });
  const links = [unused, used].map(({ url }) => String(url).split("#")[1] ?? "");
  const cookies: string[] = [];
  for (const body of [{ token }, { link: links[1] }]) {
    const answer = await door.call("POST", "/v1/sign-in", { token: null, headers: OURS, body });
    expect(answer.status).toBe(200);
    const cookie = /^__Host-baton=([^;]+)/.exec(String(answer.headers["set-cookie"]))?.[1] ?? "";
    cookies.push(cookie);
    const headers = { ...OURS, cookie: `__Host-baton=${cookie}` };
    for (const path of ["/v1/whoami", "/v1/nodes", "/v1/tokens", "/v1/audit?limit=1000"])
      await door.call("GET", path, { token: null, headers });
    await door.call("POST", "/v1/groups", { token: null, headers, body: { name: 3 } });
  }
  const headers = { ...OURS, cookie: `__Host-baton=${cookies[0]}` };
  expect((await door.call("POST", "/v1/sign-out", { token: null, headers })).status).toBeLessThan(300);
  expect(new Set([...links, ...cookies]).size).toBe(4);
  return { links, cookies };
}
