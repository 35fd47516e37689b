/**
 * The one hook that decides who may call what. It runs before anything of a request's body is read, so a caller
 * who may not ask is refused whatever was sent.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import { NODE_HEADER } from "../../protocol/access.ts";
import { NodeId } from "../../protocol/names.ts";
import { err, ok, type Result } from "../../protocol/result.ts";
import { Value } from "../../protocol/schema.ts";
import type { Principal, Refusal, SignIns } from "../service/coordinator.ts";
import { isSecure, secretIn } from "./cookie.ts";
import { audienceOf, hasOwnCredentials, isOpen, mayCall, type RouteKey } from "./permissions.ts";
import { refuse } from "./problems.ts";
import { crossSiteRefusal } from "./same-site.ts";
import { createStrikes, type Strikes } from "./strikes.ts";

/**
 * Finds out who is calling; null when no credential was given. Errors: `unauthorized`, `forbidden`,
 * `too-many-requests`.
 */
export type Identify = (request: {
  readonly headers: IncomingHttpHeaders;
  readonly from: string;
  /** GET where it is not said. */
  readonly method?: string;
}) => Promise<Result<Principal | null, Refusal>>;

/**
 * By the secret in the `Authorization` header. A node that names itself must name itself rightly. Secrets are looked up
 * by their hash, so that how long it takes says nothing of how much of one was right.
 */
export const identifyByBearer =
  (
    authenticate: (secret: string, from: string) => Promise<Principal | null>,
    strikes: Strikes = createStrikes(),
  ): Identify =>
  async ({ headers, from }) => {
    const header = headers.authorization;
    if (header === undefined) return ok(null);
    const secret = /^Bearer +([\x21-\x7e]{1,512})$/i.exec(header)?.[1];
    const caller = secret === undefined ? null : await authenticate(secret, from);
    if (caller === null) {
      const struck = strikes.strike(from);
      if (!struck.ok) return struck;
      return err({
        code: "unauthorized",
        message: "The credential is unknown, expired or revoked.",
        hint: "Ask an administrator for a new token, or join the node again.",
      });
    }
    const claimed = headers[NODE_HEADER];
    if (claimed !== undefined && (caller.kind !== "node" || claimed !== caller.nodeId)) {
      return err({
        code: "forbidden",
        message: "The credential belongs to another node than the one that the request claims to be.",
        hint: "Every node needs a credential of its own: join it again.",
        // What is no id may be anything, a secret in the wrong place too: it is not repeated.
        context: { claimed: Value.Check(NodeId, claimed) ? claimed : null, caller: nameOf(caller) },
      });
    }
    return ok(caller);
  };

/**
 * By the cookie of a browser that is signed in, where no credential is given otherwise. A cookie that is good no more
 * is as no credential, but that it is told so. Errors: those of `others`, and `forbidden` for a request that another
 * site's page may have made.
 */
export const identifyBySignIn =
  (signIns: Pick<SignIns, "who">, publicUrl: () => string, others: Identify): Identify =>
  async (request) => {
    const { headers, from, method = "GET" } = request;
    const secret = secretIn(headers, isSecure(publicUrl()));
    if (headers.authorization !== undefined || secret === null) return others(request);
    const caller = await signIns.who(secret, from);
    if (caller === null) {
      return err({
        code: "unauthorized",
        message: "You are signed in no longer: it has ended, or the token was revoked.",
        hint: "Sign in again.",
      });
    }
    const foreign = crossSiteRefusal({ method, headers }, publicUrl());
    return foreign === null ? ok(caller) : err(foreign);
  };

/** For a door that only this machine's owner of the state directory can open: everybody there is an administrator. */
export const identifyAsLocal: Identify = async () =>
  ok({ kind: "operator", id: "local", name: "local", role: "admin", from: "control socket" });

/** Whether `caller` may call `route`: nothing, or why not. Pure. */
export function refusalFor(route: RouteKey, caller: Principal | null, open = isOpen): Refusal | null {
  const audience = audienceOf(caller);
  if (open(route) || mayCall(route, audience)) return null;
  if (audience === "anonymous") {
    return {
      code: "unauthorized",
      message: "This needs a credential, and none was given.",
      hint: 'Send "Authorization: Bearer …" with a token.',
    };
  }
  if (audience === "pending" && mayCall(route, "node")) {
    return {
      code: "node-not-approved",
      message: "The node waits for its approval; until then it may only report.",
      hint: "Approve it with: baton nodes approve.",
    };
  }
  return {
    code: "forbidden",
    message: `A caller with the role ${audience} may not do this.`,
    hint: "Ask somebody with a higher role.",
    context: { role: audience },
  };
}

/** The hook. Answers the refusal itself, and logs it; otherwise leaves the caller on the request. */
export const authorizeHook =
  (
    identify: Identify,
    routeOf: (request: FastifyRequest) => RouteKey | null,
    open: (route: RouteKey) => boolean = isOpen,
  ) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const route = routeOf(request);
    if (route === null || hasOwnCredentials(route)) return undefined;
    const who = await identify({ headers: request.headers, from: request.ip, method: request.method });
    // A wrong credential does not keep anybody from what needs none.
    const caller = who.ok ? who.value : null;
    if (!who.ok && !open(route)) return refuse(request, reply, who.error);
    request.caller = caller;
    const refusal = refusalFor(route, caller, open);
    return refusal === null ? undefined : refuse(request, reply, refusal);
  };

/** A caller for the log. */
export const nameOf = (caller: Principal): string => (caller.kind === "node" ? caller.nodeId : caller.name);

declare module "fastify" {
  interface FastifyRequest {
    /** Who asks; null for nobody known. Set before any handler runs. */
    caller: Principal | null;
  }
}
