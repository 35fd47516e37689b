import { afterEach, describe, expect, it } from "vitest";
import { createAddresses, parseAddress } from "../../../agent/session/addresses.ts";
import { createHttpClient } from "../../../agent/session/http-client.ts";
import { createLeaseClient } from "../../../agent/session/lease-client.ts";
import { createNetwork } from "../../../agent/session/network.ts";
import { problem } from "../plain-server.ts";
import { CREDENTIAL, startCoordinator } from "./coordinator.ts";

const SESSION = "0".repeat(32);
const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

async function leaseClient(credential = CREDENTIAL, first?: string) {
  const server = await startCoordinator();
  const addresses = createAddresses(first === undefined ? [server.url] : [first, server.url]);
  const http = createHttpClient({ addresses, credential, network: createNetwork({ caFile: null }) });
  cleanUp.push(server.stop, () => http.close());
  return { server, lease: createLeaseClient(http, () => "group one") };
}

const ACTION = (name: string) => `POST /v1/groups/group%20one/lease/${name}`;

describe("the lease client", () => {
  it("sends the request as it is and gives the reply back typed", async () => {
    const { server, lease } = await leaseClient();
    const asked: unknown[] = [];
    server.routes.set(ACTION("commit"), (body) => {
      asked.push(body);
      return { status: 200, body: { actWithinMs: 30_000 } };
    });
    const reply = await lease.commit({ session: SESSION, token: 7, needMs: 20_000 });
    expect(reply).toEqual({ ok: true, value: { actWithinMs: 30_000 } });
    expect(asked).toEqual([{ session: SESSION, token: 7, needMs: 20_000 }]);
  });

  it("gives a denial its code, its sentence and when to ask again", async () => {
    const { server, lease } = await leaseClient();
    const detail = "Node two has the lease.";
    server.routes.set(ACTION("renew"), () => ({
      status: 409,
      body: problem(409, "held-by", detail, { retryAfterMs: 1_500 }),
      type: "application/problem+json",
    }));
    expect(await lease.renew({ session: SESSION, token: 7 })).toEqual({
      ok: false,
      error: {
        kind: "refused",
        code: "held-by",
        message: detail,
        retryAfterMs: 1_500,
        context: { status: 409 },
      },
    });
  });

  it.each([
    ["a page of a proxy", 502, "<html>Bad gateway</html>", "not-baton"],
    ["a refusal without a problem", 403, "no", "not-baton"],
    ["a problem of the server's own", 503, problem(503, "unavailable", "The store is away."), "unavailable"],
    ["a reply that is not JSON", 200, "fine", "not-baton"],
    ["a reply of another shape", 200, { ttl: 5 }, "malformed"],
  ])("does not take %s for the coordinator's word", async (_what, status, body, code) => {
    const { server, lease } = await leaseClient();
    server.routes.set(ACTION("renew"), () => ({ status, body }));
    const reply = await lease.renew({ session: SESSION, token: 7 });
    expect(reply).toMatchObject({ ok: false, error: { kind: "unreachable", code } });
  });

  it("takes the next address after one that does not answer", async () => {
    const { server, lease } = await leaseClient(CREDENTIAL, "http://127.0.0.1:1");
    server.routes.set(ACTION("cancel"), () => ({ status: 200, body: {} }));
    const first = await lease.cancel({ session: SESSION, token: 7 });
    expect(first).toMatchObject({ ok: false, error: { kind: "unreachable", code: "unreachable" } });
    expect(await lease.cancel({ session: SESSION, token: 7 })).toEqual({ ok: true, value: undefined });
  });

  it("is refused without its credential", async () => {
    const { lease } = await leaseClient("somebody-else");
    const reply = await lease.renew({ session: SESSION, token: 7 });
    expect(reply).toMatchObject({ ok: false, error: { kind: "refused", code: "unauthorized" } });
  });
});

describe("a coordinator's address", () => {
  it.each([
    ["https://c.example:8443/", "https://c.example:8443"],
    ["https://c.example/baton/", "https://c.example/baton"],
    ["http://127.0.0.1:8080", "http://127.0.0.1:8080"],
    ["http://localhost:8080", "http://localhost:8080"],
    ["http://[::1]:8080", "http://[::1]:8080"],
  ])("%s is taken", (text, address) => {
    expect(parseAddress(text, { allowInsecure: false })).toEqual({ ok: true, value: address });
  });
  it.each([
    ["c.example", "malformed"],
    ["ftp://c.example", "malformed"],
    ["https://me:secret@c.example", "malformed"],
    ["https://c.example/?a=b", "malformed"],
    ["http://c.example", "insecure"],
    ["http://127.0.0.1.evil.example", "insecure"],
  ])("%s is refused as %s", (text, code) => {
    expect(parseAddress(text, { allowInsecure: false })).toMatchObject({ ok: false, error: { code } });
  });
  it("may be plain HTTP elsewhere when that was said by name", () => {
    expect(parseAddress("http://10.0.0.1", { allowInsecure: true })).toMatchObject({ ok: true });
  });
});
