import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCoordinator, type TestCoordinator } from "../harness/coordinator.ts";
import { joinNode, type TestNode } from "../harness/node.ts";

describe("a node speaks only of itself", () => {
  let coordinator: TestCoordinator;
  let ann: TestNode;
  let bob: TestNode;
  beforeAll(async () => {
    coordinator = await startCoordinator();
    ann = await joinNode(coordinator, { name: "ann" });
    bob = await joinNode(coordinator, { name: "bob", group: "other" });
  });
  afterAll(() => coordinator.stop());

  const session = "0".repeat(32);
  test.each<[string, string, (bobId: string) => string, unknown]>([
    ["asks for another node", "GET", (id) => `/v1/nodes/${id}`, undefined],
    ["updates another node", "POST", (id) => `/v1/nodes/${id}/update`, {}],
    ["rolls another node back", "POST", (id) => `/v1/nodes/${id}/rollback`, undefined],
    ["looks at another group's lease", "GET", () => "/v1/groups/other/lease", undefined],
    [
      "reserves another group's lease",
      "POST",
      () => "/v1/groups/other/lease/reserve",
      { session, jobId: "j-000000000000", build: { version: "1.0.0", buildHash: "0".repeat(64) } },
    ],
    [
      "commits another group's lease",
      "POST",
      () => "/v1/groups/other/lease/commit",
      { session, token: 1, needMs: 1 },
    ],
  ])("%s: forbidden, logged", async (_, method, path, body) => {
    const answer = await coordinator.call(method, path(bob.nodeId), { token: ann.credential, body });
    expect(answer).toMatchObject({ status: 403, body: { code: "forbidden" } });
    const line = await coordinator.heard(({ requestId }) => requestId === answer.body.requestId);
    expect(line).toMatchObject({ msg: "refused", code: "forbidden", caller: ann.nodeId });
  });

  test("claims another's id: forbidden, logged, and the other is not heard", async () => {
    const before = await coordinator.call("GET", `/v1/nodes/${bob.nodeId}`);
    const answer = await coordinator.call("POST", "/v1/heartbeat", {
      token: ann.credential,
      headers: { "baton-node": bob.nodeId },
      body: { frames: [] },
    });
    expect(answer).toMatchObject({
      status: 403,
      body: { code: "forbidden", context: { claimed: bob.nodeId } },
    });
    await coordinator.heard(({ requestId }) => requestId === answer.body.requestId);
    expect((await coordinator.call("GET", `/v1/nodes/${bob.nodeId}`)).body).toEqual(before.body);
  });

  test("names itself rightly: let in", async () => {
    const answer = await coordinator.call("GET", "/v1/desired", {
      token: ann.credential,
      headers: { "baton-node": ann.nodeId },
    });
    expect(answer).toMatchObject({
      status: 200,
      body: { nodeId: ann.nodeId, group: "web", release: null },
    });
  });
});
