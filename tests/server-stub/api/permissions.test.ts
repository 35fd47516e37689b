import { describe, expect, test } from "vitest";
import { refusalFor } from "../../../server-stub/api/authorize.ts";
import {
  AUDIENCES,
  type Audience,
  PERMISSIONS,
  type RouteKey,
} from "../../../server-stub/api/permissions.ts";
import type { Principal } from "../../../server-stub/service/coordinator.ts";

const node = (membership: "pending" | "approved"): Principal => ({
  kind: "node",
  nodeId: "n-000000000001",
  group: "db",
  membership,
  from: "127.0.0.1",
});
const operator = (role: "viewer" | "operator" | "admin"): Principal => ({
  kind: "operator",
  id: "t1",
  name: "ann",
  role,
  from: "127.0.0.1",
});
const CALLERS: Readonly<Record<Audience, Principal | null>> = {
  anonymous: null,
  pending: node("pending"),
  node: node("approved"),
  viewer: operator("viewer"),
  operator: operator("operator"),
  admin: operator("admin"),
};

/**
 * Written out once more by hand, as the specification: y is let in, - is not. In the order
 * anonymous, pending node, node, viewer, operator, admin.
 */
const EXPECTED: Readonly<Record<RouteKey, string>> = {
  "GET /healthz": "yyyyyy",
  "GET /readyz": "yyyyyy",
  "GET /openapi.json": "yyyyyy",
  "GET /metrics": "---yyy",
  "GET /v1/version": "yyyyyy",
  "GET /tuf/metadata/*": "yyyyyy",
  "GET /tuf/targets/*": "yyyyyy",
  "POST /v1/join": "yyyyyy",
  "GET /v1/session": "-yy---",
  "GET /v1/desired": "-yy---",
  "POST /v1/heartbeat": "-yy---",
  "GET /v1/groups": "---yyy",
  "POST /v1/groups": "-----y",
  "GET /v1/groups/:group": "---yyy",
  "PATCH /v1/groups/:group": "-----y",
  "DELETE /v1/groups/:group": "-----y",
  "POST /v1/groups/:group/fleet-lock": "-----y",
  "POST /v1/groups/:group/fleet-lock/close": "-----y",
  "POST /v1/pre-reboot": "yyyyyy",
  "POST /v1/steady-state": "yyyyyy",
  "POST /v1/groups/:group/freeze": "----yy",
  "POST /v1/groups/:group/unfreeze": "----yy",
  "GET /v1/policy": "---yyy",
  "PATCH /v1/policy": "-----y",
  "POST /v1/policy/freeze": "----yy",
  "POST /v1/policy/unfreeze": "----yy",
  "GET /v1/channels": "---yyy",
  "GET /v1/channels/:channel": "---yyy",
  "PUT /v1/channels/:channel": "-----y",
  "DELETE /v1/channels/:channel": "-----y",
  "POST /v1/channels/:channel/promote": "----yy",
  "GET /v1/groups/:group/lease": "--yyyy",
  "POST /v1/groups/:group/lease/reserve": "--y---",
  "POST /v1/groups/:group/lease/renew": "--y---",
  "POST /v1/groups/:group/lease/commit": "--y---",
  "POST /v1/groups/:group/lease/cancel": "--y---",
  "POST /v1/groups/:group/lease/break": "-----y",
  "GET /v1/nodes": "---yyy",
  "GET /v1/nodes/:nodeId": "-yyyyy",
  "PATCH /v1/nodes/:nodeId": "-----y",
  "DELETE /v1/nodes/:nodeId": "-----y",
  "GET /v1/nodes/:nodeId/removal": "---yyy",
  "POST /v1/nodes/:nodeId/approve": "-----y",
  "POST /v1/nodes/:nodeId/reject": "-----y",
  "POST /v1/nodes/:nodeId/revoke": "-----y",
  "POST /v1/nodes/:nodeId/update": "--y-yy",
  "POST /v1/nodes/:nodeId/rollback": "--y-yy",
  "POST /v1/nodes/:nodeId/diagnose": "----yy",
  "GET /v1/releases": "---yyy",
  "POST /v1/releases": "----yy",
  "PUT /v1/releases/uploads/:sha256": "----yy",
  "GET /v1/rollouts": "---yyy",
  "POST /v1/rollouts": "----yy",
  "GET /v1/rollouts/:rolloutId": "---yyy",
  "POST /v1/rollouts/:rolloutId/pause": "----yy",
  "POST /v1/rollouts/:rolloutId/resume": "----yy",
  "POST /v1/rollouts/:rolloutId/cancel": "----yy",
  "POST /v1/rollouts/:rolloutId/retry": "----yy",
  "POST /v1/rollouts/:rolloutId/rollback": "----yy",
  "GET /v1/jobs": "---yyy",
  "GET /v1/jobs/:jobId": "--yyyy",
  "POST /v1/jobs/:jobId/cancel": "--y-yy",
  "POST /v1/jobs/:jobId/retry": "----yy",
  "GET /v1/jobs/:jobId/log": "--yyyy",
  "POST /v1/jobs/:jobId/log": "--y---",
  "GET /v1/events": "---yyy",
  "GET /v1/alerts": "---yyy",
  "POST /v1/alerts/:alertId/ack": "----yy",
  "GET /v1/webhooks": "-----y",
  "POST /v1/webhooks": "-----y",
  "GET /v1/webhooks/:webhookId": "-----y",
  "PATCH /v1/webhooks/:webhookId": "-----y",
  "DELETE /v1/webhooks/:webhookId": "-----y",
  "POST /v1/webhooks/:webhookId/test": "-----y",
  "GET /v1/webhooks/:webhookId/deliveries": "-----y",
  "GET /v1/audit": "---yyy",
  "GET /v1/audit/export": "---yyy",
  "GET /v1/backup": "-----y",
  "POST /v1/trust": "-----y",
  "POST /v1/sign-in": "yyyyyy",
  "POST /v1/sign-out": "yyyyyy",
  "POST /v1/sign-in-links": "---yyy",
  "GET /v1/whoami": "---yyy",
  "GET /v1/tokens": "-----y",
  "POST /v1/tokens": "-----y",
  "POST /v1/tokens/:tokenId/revoke": "-----y",
  "GET /v1/join-tokens": "-----y",
  "POST /v1/join-tokens": "-----y",
  "POST /v1/join-tokens/:tokenId/revoke": "-----y",
};

describe("the permission table", () => {
  test("has exactly the routes that are specified", () => {
    expect(Object.keys(PERMISSIONS).sort()).toEqual(Object.keys(EXPECTED).sort());
  });

  const cells = Object.entries(EXPECTED).flatMap(([route, row]) =>
    AUDIENCES.map((audience, index) => [route as RouteKey, audience, row[index] === "y"] as const),
  );
  test.each(cells)("%s by %s: %s", (route, audience, allowed) => {
    const wanted =
      audience === "anonymous"
        ? "unauthorized"
        : audience === "pending" && EXPECTED[route][2] === "y"
          ? "node-not-approved"
          : "forbidden";
    expect(refusalFor(route, CALLERS[audience])?.code ?? null).toBe(allowed ? null : wanted);
  });
});
