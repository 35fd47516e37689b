/** What a browser can do with its cookie, and what nobody can do with it but the dashboard's own page. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Answer, startCoordinator, type TestCoordinator } from "../harness/coordinator.ts";

const PAGE = { "baton-dashboard": "1", "sec-fetch-site": "same-origin" };

let coordinator: TestCoordinator;
beforeAll(async () => {
  coordinator = await startCoordinator();
});
afterAll(() => coordinator.stop());

const signIn = (body: object, headers: Record<string, string> = PAGE): Promise<Answer> =>
  coordinator.call("POST", "/v1/sign-in", { token: null, body, headers });

/** What the browser would send from then on. */
const cookieOf = ({ headers }: Answer): string => headers.get("set-cookie")?.split(";")[0] ?? "";

const makeToken = async (role: string, ttlMs?: number): Promise<{ secret: string; id: string }> => {
  const body = { name: `a ${role}`, role, ...(ttlMs === undefined ? {} : { ttlMs }) };
  const made = await coordinator.call("POST", "/v1/tokens", { body });
  return { secret: String(made.body.secret), id: (made.body.token as { id: string }).id };
};

const whoIs = (cookie: string): Promise<Answer> =>
  coordinator.call("GET", "/v1/whoami", { token: null, headers: { cookie } });

describe("signing in", () => {
  test("gives a cookie that no script reads and no other site sends, and no secret in the answer", async () => {
    const answer = await signIn({ token: coordinator.adminToken });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ name: "admin", role: "admin" });
    expect(JSON.stringify(answer.body)).not.toContain("baton_");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const cookie = answer.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(
      /^baton=baton_browser_[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    expect((await whoIs(cookieOf(answer))).body).toMatchObject({ name: "admin", role: "admin" });
  });

  test("refuses what is no operator's token, and what comes from elsewhere, and says nothing of which", async () => {
    const { secret } = await makeToken("viewer");
    const wrong = await signIn({ token: "baton_operator_x" });
    expect([wrong.status, wrong.body.code, wrong.headers.get("set-cookie")]).toEqual([
      401,
      "unauthorized",
      null,
    ]);
    for (const headers of [
      {},
      { "baton-dashboard": "1", "sec-fetch-site": "cross-site" },
      { "baton-dashboard": "1", "sec-fetch-site": "same-site" },
      { "baton-dashboard": "1", origin: "https://evil.example" },
      { "baton-dashboard": "1", origin: "null" },
      { "sec-fetch-site": "same-origin" },
    ]) {
      const answer = await signIn({ token: secret }, headers as Record<string, string>);
      expect([answer.status, answer.headers.get("set-cookie")]).toEqual([403, null]);
    }
    // Where the browser says nothing else, its origin has to be ours.
    const ours = { "baton-dashboard": "1", origin: coordinator.url };
    expect((await signIn({ token: secret }, ours)).status).toBe(200);
  });

  test("ends with the token: revoked, expired, or signed out, and not with a restart", async () => {
    const revoked = await makeToken("viewer");
    const first = cookieOf(await signIn({ token: revoked.secret }));
    const second = cookieOf(await signIn({ token: coordinator.adminToken }));
    const expiring = await makeToken("viewer", 1_000);
    const short = await signIn({ token: expiring.secret });
    expect(short.headers.get("set-cookie")).toMatch(/Max-Age=[01];/);

    await coordinator.restart();
    expect([(await whoIs(first)).status, (await whoIs(second)).status]).toEqual([200, 200]);
    await coordinator.call("POST", `/v1/tokens/${revoked.id}/revoke`);
    expect((await whoIs(first)).body.code).toBe("unauthorized");
    const out = await coordinator.call("POST", "/v1/sign-out", {
      token: null,
      headers: { ...PAGE, cookie: second },
    });
    expect([out.status, out.headers.get("set-cookie")]).toEqual([
      200,
      expect.stringMatching(/^baton=; Max-Age=0;/),
    ]);
    expect((await whoIs(second)).status).toBe(401);
    // Whoever takes the cookie elsewhere cannot sign anybody out either.
    const foreign = await coordinator.call("POST", "/v1/sign-out", {
      token: null,
      headers: { cookie: second },
    });
    expect(foreign.status).toBe(403);
  });
});

describe("a cookie", () => {
  test("reads for whoever sends it, and changes only for the dashboard's own page", async () => {
    const cookie = cookieOf(await signIn({ token: coordinator.adminToken }));
    const ask = (headers: Record<string, string>) =>
      coordinator.call("POST", "/v1/groups", {
        token: null,
        body: { name: "web" },
        headers: { cookie, ...headers },
      });
    expect((await coordinator.call("GET", "/v1/nodes", { token: null, headers: { cookie } })).status).toBe(
      200,
    );
    for (const headers of [{}, { "sec-fetch-site": "same-origin" }, { "baton-dashboard": "1" }])
      expect((await ask(headers as Record<string, string>)).body.code).toBe("forbidden");
    expect((await ask({ ...PAGE, "sec-fetch-site": "cross-site" })).status).toBe(403);
    expect((await ask(PAGE)).status).toBe(201);
  });

  test("has its token's role and no other", async () => {
    const { secret } = await makeToken("viewer");
    const cookie = cookieOf(await signIn({ token: secret }));
    const headers = { ...PAGE, cookie };
    const asked = await coordinator.call("POST", "/v1/policy/freeze", {
      token: null,
      body: { reason: "x" },
      headers,
    });
    expect(asked.body).toMatchObject({ code: "forbidden", context: { role: "viewer" } });
  });

  test("that is no good is refused where a credential is needed, and in nobody's way elsewhere", async () => {
    const headers = { cookie: "baton=baton_browser_nothing" };
    expect((await coordinator.call("GET", "/v1/nodes", { token: null, headers })).status).toBe(401);
    expect((await coordinator.call("GET", "/healthz", { token: null, headers })).status).toBe(200);
    // Who sends a token as well is judged by the token.
    expect((await coordinator.call("GET", "/v1/nodes", { headers })).status).toBe(200);
  });
});

describe("a sign-in link", () => {
  test("signs in as who made it, once, however many come with it", async () => {
    const { secret } = await makeToken("operator");
    const made = await coordinator.call("POST", "/v1/sign-in-links", { token: secret });
    const [page, link] = String(made.body.url).split("#");
    expect(page).toBe(`${coordinator.url}/sign-in`);
    const answers = await Promise.all([1, 2, 3].map(() => signIn({ link })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 401, 401]);
    const good = answers.find(({ status }) => status === 200);
    expect(good?.body).toMatchObject({ name: "a operator", role: "operator" });
  });

  test("is no good once its token is revoked", async () => {
    const { secret, id } = await makeToken("viewer");
    const made = await coordinator.call("POST", "/v1/sign-in-links", { token: secret });
    await coordinator.call("POST", `/v1/tokens/${id}/revoke`);
    const link = String(made.body.url).split("#")[1];
    expect((await signIn({ link })).status).toBe(401);
  });
});

test("over TLS the cookie is bound to the host, and never sent in the clear", async () => {
  const behindProxy = await startCoordinator('public_url = "https://baton.example"');
  try {
    const answer = await behindProxy.call("POST", "/v1/sign-in", {
      token: null,
      body: { token: behindProxy.adminToken },
      headers: { "baton-dashboard": "1", origin: "https://baton.example" },
    });
    expect(answer.headers.get("set-cookie")).toMatch(/^__Host-baton=.*; HttpOnly; Secure; SameSite=Strict$/);
    const [cookie = ""] = (answer.headers.get("set-cookie") ?? "").split(";");
    const plain = cookie.replace("__Host-", "");
    const ask = (value: string) =>
      behindProxy.call("GET", "/v1/whoami", { token: null, headers: { cookie: value } });
    expect([(await ask(cookie)).status, (await ask(plain)).status]).toEqual([200, 401]);
  } finally {
    await behindProxy.stop();
  }
});

test("tells an address with too many wrong tokens to wait, and lets a right one in all the while", async () => {
  const answers = [];
  for (let tries = 0; tries < 12; tries += 1)
    answers.push((await signIn({ token: `wrong-${tries}` })).status);
  expect(answers).toContain(429);
  expect((await signIn({ token: coordinator.adminToken })).status).toBe(200);
});
