/** Requests that no client of ours makes, and what the doors must not forget about those that are rare. */
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { firstRoot } from "../../../cli/keys/root.ts";
import { readKeyRequest } from "../../../protocol/ceremony.ts";
import { type PublicKey, publicKeyOf, signMetadata } from "../../../protocol/metadata.ts";
import { keysDirOf } from "../../../server-stub/assemble.ts";
import { firstKeyRequest } from "../../../server-stub/repository/online-keys.ts";
import { DAY, newSigner } from "../../trust/simulator.ts";
import { startCoordinator, type TestCoordinator } from "../harness/coordinator.ts";

let coordinator: TestCoordinator;
beforeAll(async () => {
  coordinator = await startCoordinator();
});
afterAll(() => coordinator.stop());

const JSON_TYPE = { "content-type": "application/json" };

async function ask(options: RequestOptions, body = ""): Promise<{ status: number; body: unknown }> {
  const request = httpRequest(options).end(body);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return { status: response.statusCode ?? 0, body: JSON.parse(await text(response)) };
}

test("an upload without any bytes is not the bundle that it names", async () => {
  const answer = await coordinator.call("PUT", `/v1/releases/uploads/${"0".repeat(64)}`);
  expect(answer).toMatchObject({ status: 422, body: { code: "upload-mismatch" } });
});

test("what is expected beyond the usual is passed over", async () => {
  const { hostname, port } = new URL(coordinator.url);
  const headers = { expect: "something-else" };
  const answer = await ask({ hostname, port, path: "/healthz", headers });
  expect(answer).toMatchObject({ status: 200, body: { status: "ok" } });
});

test("joining over the control socket is refused or granted like anywhere on this machine", async () => {
  const socketPath = coordinator.config.controlSocket;
  const body = JSON.stringify({ token: "baton_join_guess", name: "ann" });
  const answer = await ask({ socketPath, method: "POST", path: "/v1/join", headers: JSON_TYPE }, body);
  expect(answer).toMatchObject({ status: 403, body: { code: "join-token-invalid" } });
});

test("a coordinator is ready before anything has been published", async () => {
  const answer = await coordinator.call("GET", "/readyz", { token: null });
  expect(answer).toMatchObject({ status: 200, body: { ready: true, reasons: [] } });
});

test("whom the coordinator trusts from now on is in the audit log, once", async () => {
  const asked = readKeyRequest(JSON.stringify(await firstKeyRequest(keysDirOf(coordinator.config))));
  if (!asked.ok || asked.value.snapshot === undefined || asked.value.timestamp === undefined) {
    throw new Error("no good request");
  }
  const holder = (key: PublicKey) => ({ keys: [key], threshold: 1 });
  const [root, targets] = [newSigner(), newSigner()];
  const signed = firstRoot(
    {
      root: holder(publicKeyOf(root.privateKey)),
      targets: holder(publicKeyOf(targets.privateKey)),
      snapshot: holder(asked.value.snapshot),
      timestamp: holder(asked.value.timestamp),
    },
    Date.now() + 365 * DAY,
  );
  const updates = [{ root: signMetadata(signed, [root]) }];
  for (const _ of ["first", "repeated"]) {
    expect((await coordinator.call("POST", "/v1/trust", { body: { updates } })).status).toBe(200);
  }
  const { entries } = (await coordinator.call("GET", "/v1/audit")).body as { entries: { action: string }[] };
  expect(entries.filter(({ action }) => action === "trust.installed")).toMatchObject([
    { actor: "operator admin", subject: "root 1", before: { fingerprint: null }, from: "127.0.0.1" },
  ]);
});

test.each([
  ["/v1/tokens", { name: "long", role: "viewer", ttlMs: 1e300 }],
  ["/v1/join-tokens", { group: "web", ttlMs: Number.MAX_SAFE_INTEGER }],
  ["/v1/policy/freeze", { reason: "for ever", until: 1e300 }],
])("%s does not take a time that no calendar has", async (path, body) => {
  const answer = await coordinator.call("POST", path, { body });
  expect(answer).toMatchObject({ status: 400, body: { code: "malformed" } });
});
