/**
 * Who may call what: the one table, looked up by one hook before anything of a request is read. A route that is
 * not in it cannot be registered, and a role that is not named is refused.
 */
import type { Principal } from "../service/coordinator.ts";

/** What a caller is: nobody known, a node that waits for approval, an approved node, or an operator by role. */
export const AUDIENCES = ["anonymous", "pending", "node", "viewer", "operator", "admin"] as const;
export type Audience = (typeof AUDIENCES)[number];

const everybody = AUDIENCES;
const nodes = ["pending", "node"] as const;
const approved = ["node"] as const;
const seeing = ["viewer", "operator", "admin"] as const;
/** Nodes see only what is theirs; the routes check that themselves. */
const seeingOrOwn = ["node", ...seeing] as const;
const operating = ["operator", "admin"] as const;
/** A node asks for its own update (`agent update-now`) and its own way back; the routes check that it is its own. */
const operatingOrOwn = ["node", ...operating] as const;
const administering = ["admin"] as const;

export const PERMISSIONS = {
  "GET /healthz": everybody,
  "GET /readyz": everybody,
  "GET /openapi.json": everybody,
  // Everybody where the settings say so.
  "GET /metrics": seeing,
  "GET /v1/version": everybody,
  "GET /tuf/metadata/*": everybody,
  "GET /tuf/targets/*": everybody,

  "POST /v1/join": everybody,
  "GET /v1/session": nodes,
  "GET /v1/desired": nodes,
  "POST /v1/heartbeat": nodes,

  "GET /v1/groups": seeing,
  "POST /v1/groups": administering,
  "GET /v1/groups/:group": seeing,
  "PATCH /v1/groups/:group": administering,
  "DELETE /v1/groups/:group": administering,

  "POST /v1/groups/:group/fleet-lock": administering,
  "POST /v1/groups/:group/fleet-lock/close": administering,
  // FleetLock's clients name themselves in their own way, if at all: the group says how.
  "POST /v1/pre-reboot": everybody,
  "POST /v1/steady-state": everybody,

  // Whoever runs rollouts may stop them all; when they may run is policy.
  "POST /v1/groups/:group/freeze": operating,
  "POST /v1/groups/:group/unfreeze": operating,

  "GET /v1/policy": seeing,
  "PATCH /v1/policy": administering,
  "POST /v1/policy/freeze": operating,
  "POST /v1/policy/unfreeze": operating,

  "GET /v1/channels": seeing,
  "GET /v1/channels/:channel": seeing,
  "PUT /v1/channels/:channel": administering,
  "DELETE /v1/channels/:channel": administering,
  "POST /v1/channels/:channel/promote": operating,

  "GET /v1/groups/:group/lease": seeingOrOwn,
  "POST /v1/groups/:group/lease/reserve": approved,
  "POST /v1/groups/:group/lease/renew": approved,
  "POST /v1/groups/:group/lease/commit": approved,
  "POST /v1/groups/:group/lease/cancel": approved,
  "POST /v1/groups/:group/lease/break": administering,

  "GET /v1/nodes": seeing,
  "GET /v1/nodes/:nodeId": ["pending", ...seeingOrOwn],
  "PATCH /v1/nodes/:nodeId": administering,
  "DELETE /v1/nodes/:nodeId": administering,
  "GET /v1/nodes/:nodeId/removal": seeing,
  "POST /v1/nodes/:nodeId/approve": administering,
  "POST /v1/nodes/:nodeId/reject": administering,
  "POST /v1/nodes/:nodeId/revoke": administering,
  "POST /v1/nodes/:nodeId/update": operatingOrOwn,
  "POST /v1/nodes/:nodeId/rollback": operatingOrOwn,
  "POST /v1/nodes/:nodeId/diagnose": operating,

  "GET /v1/releases": seeing,
  // What may run is decided by the publisher's signature; the role only keeps strangers from filling the disk.
  "POST /v1/releases": operating,
  "PUT /v1/releases/uploads/:sha256": operating,

  "GET /v1/rollouts": seeing,
  "POST /v1/rollouts": operating,
  "GET /v1/rollouts/:rolloutId": seeing,
  "POST /v1/rollouts/:rolloutId/pause": operating,
  "POST /v1/rollouts/:rolloutId/resume": operating,
  "POST /v1/rollouts/:rolloutId/cancel": operating,
  "POST /v1/rollouts/:rolloutId/retry": operating,
  "POST /v1/rollouts/:rolloutId/rollback": operating,

  "GET /v1/jobs": seeing,
  "GET /v1/jobs/:jobId": seeingOrOwn,
  "POST /v1/jobs/:jobId/cancel": operatingOrOwn,
  "POST /v1/jobs/:jobId/retry": operating,
  "GET /v1/jobs/:jobId/log": seeingOrOwn,
  "POST /v1/jobs/:jobId/log": approved,

  "GET /v1/events": seeing,
  "GET /v1/alerts": seeing,
  "POST /v1/alerts/:alertId/ack": operating,

  "GET /v1/webhooks": administering,
  "POST /v1/webhooks": administering,
  "GET /v1/webhooks/:webhookId": administering,
  "PATCH /v1/webhooks/:webhookId": administering,
  "DELETE /v1/webhooks/:webhookId": administering,
  "POST /v1/webhooks/:webhookId/test": administering,
  "GET /v1/webhooks/:webhookId/deliveries": administering,
  "GET /v1/audit": seeing,
  "GET /v1/audit/export": seeing,

  "POST /v1/trust": administering,
  // Over the control socket alone; the route checks that itself.
  "GET /v1/backup": administering,

  "POST /v1/sign-in": everybody,
  "POST /v1/sign-out": everybody,
  // It signs in as the caller, who could sign in by the token as well.
  "POST /v1/sign-in-links": seeing,
  "GET /v1/whoami": seeing,
  "GET /v1/tokens": administering,
  "POST /v1/tokens": administering,
  "POST /v1/tokens/:tokenId/revoke": administering,
  "GET /v1/join-tokens": administering,
  "POST /v1/join-tokens": administering,
  "POST /v1/join-tokens/:tokenId/revoke": administering,
} as const satisfies Record<string, readonly Audience[]>;

/** Routes whose callers are told by credentials of another kind, which the routes look at themselves. */
export const hasOwnCredentials = (route: RouteKey): boolean =>
  route === "POST /v1/pre-reboot" || route === "POST /v1/steady-state";

export type RouteKey = keyof typeof PERMISSIONS;

export const isRouteKey = (key: string): key is RouteKey => Object.hasOwn(PERMISSIONS, key);

export const audienceOf = (caller: Principal | null): Audience => {
  if (caller === null) return "anonymous";
  if (caller.kind === "operator") return caller.role;
  return caller.membership === "approved" ? "node" : "pending";
};

export const mayCall = (route: RouteKey, audience: Audience): boolean =>
  (PERMISSIONS[route] as readonly Audience[]).includes(audience);

/** Whether callers without a credential are let in. */
export const isOpen = (route: RouteKey): boolean => mayCall(route, "anonymous");
