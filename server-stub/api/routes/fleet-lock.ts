import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import {
  FLEET_LOCK_HEADER,
  FLEET_LOCK_KINDS,
  FleetLockError,
  type FleetLockKind,
  FleetLockOpened,
  FleetLockRequest,
  FleetLockSettings,
  OpenFleetLockRequest,
} from "../../../protocol/fleet-lock.ts";
import { GroupName } from "../../../protocol/names.ts";
import { err, type Result } from "../../../protocol/result.ts";
import { Type, Value } from "../../../protocol/schema.ts";
import type { Coordinator, FleetLockCall, FleetLockRefused } from "../../service/coordinator.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { createStrikes, type Strikes } from "../strikes.ts";

const MAX_BODY_BYTES = 16 * 1024;

/** What operators do about FleetLock: open it in a group, and close it. */
export const fleetLockSettingRoutes = ({
  fleetLock,
}: Pick<Coordinator, "fleetLock">): readonly Endpoint[] => [
  endpoint({
    route: "POST /v1/groups/:group/fleet-lock",
    id: "openFleetLock",
    summary:
      "Let FleetLock clients share the group's lease; a password is told this once, and replaces the last one",
    callers: "operator",
    params: Type.Object({ group: GroupName }),
    body: OpenFleetLockRequest,
    answer: FleetLockOpened,
    secret: true,
    handle: ({ by, params, body }) => fleetLock.open(by, params.group, body),
  }),
  endpoint({
    route: "POST /v1/groups/:group/fleet-lock/close",
    id: "closeFleetLock",
    summary: "Let no FleetLock client lock any more; its members stay until they are removed",
    callers: "operator",
    params: Type.Object({ group: GroupName }),
    answer: FleetLockSettings,
    handle: ({ by, params }) => fleetLock.close(by, params.group),
  }),
];

/**
 * `POST /v1/pre-reboot` and `/v1/steady-state`, as FleetLock's clients know them: whatever the body is called, it is
 * read as JSON; success is 200 and says nothing; a refusal is `{ kind, value }`. They name themselves by Basic
 * authentication, where the group wants that.
 */
export function fleetLockRoutes(app: FastifyInstance, { fleetLock }: Pick<Coordinator, "fleetLock">): void {
  const strikes = createStrikes();
  app.register(async (routes) => {
    // Whatever the body is called, even if that is no content type at all.
    routes.addHook("onRequest", async ({ raw }) => {
      raw.headers["content-type"] = "application/json";
    });
    routes.removeAllContentTypeParsers();
    routes.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => done(null, body));
    routes.setErrorHandler((error: { statusCode?: number }, request, reply) => {
      const kind = KIND_OF_STATUS[error.statusCode ?? 500] ?? "internal";
      if (kind === "internal") request.log.error({ err: error }, "unforeseen error");
      return refuse(request, reply, { kind, value: VALUES[kind] ?? "The request cannot be read." });
    });
    const route = (url: string, id: string, summary: string, act: FleetLockAct) =>
      routes.route({
        method: "POST",
        url,
        bodyLimit: MAX_BODY_BYTES,
        // The body is a text until the handler has read it: the schema is for the document.
        validatorCompiler: () => (value) => ({ value }),
        schema: {
          operationId: id,
          summary,
          tags: ["fleet-lock"],
          security: [],
          body: FleetLockRequest,
          response: { 200: Type.Object({}), default: FleetLockError },
        },
        handler: async (request, reply) => {
          const done = await answer(request, strikes, act);
          if (!done.ok) return refuse(request, reply, done.error);
          return reply.code(200).header("cache-control", "no-store").type("application/json").send("{}");
        },
      });
    route("/v1/pre-reboot", "fleetLockPreReboot", "FleetLock: take the lease before a reboot", (call) =>
      fleetLock.lock(call),
    );
    route(
      "/v1/steady-state",
      "fleetLockSteadyState",
      "FleetLock: give the lease back, if it is held",
      (call) => fleetLock.unlock(call),
    );
  });
}

type FleetLockAct = (call: FleetLockCall) => Promise<Result<void, FleetLockRefused>>;

async function answer(
  request: FastifyRequest,
  strikes: Strikes,
  act: FleetLockAct,
): Promise<Result<void, FleetLockRefused>> {
  if (request.headers[FLEET_LOCK_HEADER] !== "true")
    return bad(`The header ${FLEET_LOCK_HEADER}: true is missing.`);
  const body = readJson(request.body);
  if (!Value.Check(FleetLockRequest, body))
    return bad(
      "The body must be JSON: client_params with an id, and a group of letters, digits, dots and hyphens.",
    );
  const done = await act({ ...body.client_params, ...basicOf(request), from: request.ip });
  if (done.ok || done.error.kind !== "unauthorized") return done;
  const struck = strikes.strike(request.ip);
  return struck.ok ? done : err({ kind: "too_many_requests", value: struck.error.message });
}

const bad = (value: string): Result<never, FleetLockRefused> => err({ kind: "bad_request", value });

function readJson(body: unknown): unknown {
  try {
    return typeof body === "string" ? JSON.parse(body) : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** RFC 7617. */
function basicOf({ headers }: FastifyRequest): Pick<FleetLockCall, "user" | "password"> {
  const encoded = /^Basic +([A-Za-z0-9+/=_-]{1,1024})$/i.exec(headers.authorization ?? "")?.[1];
  if (encoded === undefined) return { user: null, password: null };
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0
    ? { user: null, password: null }
    : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

const KIND_OF_STATUS: Readonly<Record<number, FleetLockKind>> = {
  400: "bad_request",
  408: "bad_request",
  413: "too_large",
  415: "bad_request",
  503: "unavailable",
};
const VALUES: Readonly<Partial<Record<FleetLockKind, string>>> = {
  internal: "Something went wrong inside the coordinator; its log has the request id.",
  too_large: "The body is larger than this request may be.",
  unavailable: "The coordinator is shutting down.",
};

function refuse(
  request: FastifyRequest,
  reply: FastifyReply,
  { kind, value }: FleetLockRefused,
): FastifyReply {
  request.refusedCode = kind;
  reply.header("x-request-id", request.id);
  if (kind === "unauthorized") reply.header("www-authenticate", 'Basic realm="baton"');
  return reply
    .code(FLEET_LOCK_KINDS[kind])
    .header("cache-control", "no-store")
    .type("application/json")
    .send(JSON.stringify({ kind, value } satisfies FleetLockRefused));
}
