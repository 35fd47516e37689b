/**
 * The HTTP door: every route of the coordinator, put together and not yet listening. The same routes serve the
 * network and the local control socket; they differ only in how a caller is identified.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import { TypeBoxValidatorCompiler } from "@fastify/type-provider-typebox";
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyRequest,
  LogController,
} from "fastify";
import { MAX_FRAME_BYTES } from "../../protocol/frames.ts";
import type { Coordinator } from "../service/coordinator.ts";
import { createRequestScope, type RequestScope } from "../service/request-scope.ts";
import { authorizeHook, type Identify, nameOf } from "./authorize.ts";
import { answerDashboard } from "./dashboard/answer.ts";
import type { DashboardFiles } from "./dashboard/files.ts";
import type { Endpoint } from "./endpoint.ts";
import { methodsAt } from "./methods.ts";
import { createOnce } from "./once.ts";
import { openApi } from "./openapi.ts";
import { isOpen, isRouteKey, PERMISSIONS, type RouteKey } from "./permissions.ts";
import { handleError, PROBLEM_TYPE, refusalOf, refuse } from "./problems.ts";
import { carryRequestIds, requestIdOf } from "./request-ids.ts";
import { alertRoutes } from "./routes/alerts.ts";
import { auditRoutes } from "./routes/audit.ts";
import { backupRoute, type OpenBackup } from "./routes/backup.ts";
import { channelRoutes } from "./routes/channels.ts";
import { eventsRoute } from "./routes/events.ts";
import { fleetLockRoutes, fleetLockSettingRoutes } from "./routes/fleet-lock.ts";
import { groupRoutes } from "./routes/groups.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { leaseRoutes } from "./routes/leases.ts";
import { type MetricsDoor, metricsRoute } from "./routes/metrics.ts";
import { nodeRoutes } from "./routes/nodes.ts";
import { policyRoutes } from "./routes/policy.ts";
import { releaseRoutes, uploadRoute } from "./routes/releases.ts";
import { rolloutRoutes } from "./routes/rollouts.ts";
import { serviceRoutes } from "./routes/service.ts";
import { sessionRoutes } from "./routes/session.ts";
import { signInRoutes } from "./routes/sign-in.ts";
import { tokenRoutes } from "./routes/tokens.ts";
import { type InstallTrust, trustRoutes } from "./routes/trust.ts";
import { webhookRoutes } from "./routes/webhooks.ts";
import { type TufDirs, tufRoutes } from "./tuf.ts";

export type ApiOptions = {
  readonly coordinator: Coordinator;
  readonly identify: Identify;
  readonly log: FastifyBaseLogger;
  readonly version: string;
  readonly tuf: TufDirs;
  /** Joining and its credentials may travel over plain HTTP beyond this machine. */
  readonly insecureHttp: boolean;
  /** The address that nodes are told to join at. */
  readonly publicUrl: () => string;
  readonly rootFingerprint: () => string | null;
  readonly installTrust: InstallTrust;
  /** Makes a backup for whoever may open the control socket. */
  readonly openBackup?: OpenBackup;
  /** Counts what is answered, and tells it. */
  readonly metrics?: MetricsDoor;
  /** `GET /metrics` needs no token. */
  readonly publicMetrics?: boolean;
  /** Under which requests are worked on; one of its own where there is none. */
  readonly scope?: RequestScope;
  /** Takes a request before anything else does; false where it is for this server after all. */
  readonly ahead?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Where a request came from first, and whether nobody could read it on the way; its connection says so otherwise. */
  readonly origins?: {
    readonly fromOf: (request: IncomingMessage) => string;
    readonly isSafe: (request: IncomingMessage) => boolean;
  };
  /** The files of the dashboard; none where it was not built, or is not to be served. */
  readonly dashboard?: DashboardFiles | null;
  readonly tls?: Pick<ServerOptions, "cert" | "key"> | null;
};

/** Longest that a connection may be silent, and that the headers of a request may take. */
const IDLE_MS = 60_000;
const HEADERS_MS = 15_000;

/** The server with all its routes; call `listen`. Requests to upgrade at `/v1/session` are emitted as `upgrade`. */
export function createApi(options: ApiOptions): FastifyInstance {
  const app: FastifyInstance = Fastify({
    loggerInstance: options.log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: "requestId" }),
    genReqId: ({ headers }) => requestIdOf(headers),
    requestIdHeader: false,
    bodyLimit: MAX_FRAME_BYTES,
    forceCloseConnections: "idle",
    return503OnClosing: true,
    onProtoPoisoning: "error",
    onConstructorPoisoning: "error",
    routerOptions: { maxParamLength: 512 },
    // Before any route is found no hook runs: what they do is done here.
    frameworkErrors: (error, request, reply) => {
      const refusal = refusalOf(error);
      request.log.warn({ method: request.method, from: request.ip, code: refusal.code }, "refused");
      refuse(request as FastifyRequest, reply as never, refusal);
    },
    clientErrorHandler: (_error, socket) => {
      if (socket.writable) socket.end(rawProblem());
    },
    serverFactory: (handle) => {
      const { ahead } = options;
      const handler: typeof handle =
        ahead === undefined
          ? handle
          : (request, response) => {
              if (!ahead(request, response)) handle(request, response);
            };
      const server: Server =
        options.tls == null
          ? createServer(SERVER_OPTIONS, handler)
          : (createTlsServer({ ...SERVER_OPTIONS, ...options.tls }, handler) as unknown as Server);
      // What a request expects beyond the usual is passed over, as RFC 9110, 10.1.1 lets a server do.
      return server.on("checkExpectation", handler).setTimeout(IDLE_MS);
    },
  });
  const urls = new Map<string, Set<string>>();
  app.decorateRequest("caller", null);
  app.decorateRequest("refusedCode", null);
  app.setValidatorCompiler(TypeBoxValidatorCompiler);
  // Answers are typed when they are made; to compile each schema once more would only slow the start.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  app.removeContentTypeParser("text/plain");
  app.addHook("onRoute", ({ method, url }) => {
    const methods = urls.get(url) ?? new Set();
    for (const each of [method].flat()) {
      if (keyOf(each, url) === null) throw new Error(`${each} ${url} is not in the permission table`);
      methods.add(each);
    }
    urls.set(url, methods);
  });
  const { origins } = options;
  if (origins !== undefined) {
    app.addHook("onRequest", (request, _reply, done) => {
      const protocol = origins.isSafe(request.raw) ? "https" : "http";
      Object.defineProperties(request, {
        ip: { value: origins.fromOf(request.raw) },
        protocol: { value: protocol },
      });
      done();
    });
  }
  carryRequestIds(app, options.scope ?? createRequestScope());
  const open = (route: RouteKey) =>
    isOpen(route) || (options.publicMetrics === true && route === "GET /metrics");
  app.addHook("onRequest", authorizeHook(options.identify, routeOf, open));
  app.addHook("onResponse", async (request, reply) => {
    const { statusCode: status, elapsedTime: tookMs } = reply;
    logAnswer(request, status, tookMs);
    const { method, refusedCode: code } = request;
    const route = request.routeOptions.url ?? null;
    // A stream lasts for as long as somebody listens, which says nothing about speed.
    if (route !== "/v1/events") options.metrics?.answered({ route, method, status, tookMs, code });
  });
  app.setErrorHandler(handleError);
  app.setNotFoundHandler(async (request, reply) => {
    const allowed = methodsAt(urls, request.url);
    if (allowed.length === 0) {
      const answered = await answerDashboard(request, reply, options.dashboard ?? null);
      if (answered !== null) return answered;
      return refuse(request, reply, {
        code: "not-found",
        message: "There is nothing at this address.",
        hint: "GET /openapi.json lists every address.",
      });
    }
    reply.header("allow", allowed.join(", "));
    return refuse(request, reply, {
      code: "method-not-allowed",
      message: `This address takes ${allowed.join(", ")}, not ${request.method}.`,
    });
  });

  openApi(app, options.version);
  const manners = { once: createOnce(options.coordinator.requests) };
  app.register(async (routes) => {
    for (const each of endpointsOf(options, () => app.swagger())) each.mount(routes, manners);
    tufRoutes(routes, options.tuf);
    metricsRoute(routes, options.metrics);
    backupRoute(routes, options.openBackup);
    fleetLockRoutes(routes, options.coordinator);
  });
  return app;
}

const SERVER_OPTIONS = {
  headersTimeout: HEADERS_MS,
  keepAliveTimeout: IDLE_MS,
  // A bundle may take long to arrive; a connection that falls silent is closed by its idle timeout.
  requestTimeout: 0,
  // Any other wish to upgrade is ignored, and answered as the request that it also is.
  shouldUpgradeCallback: ({ url, headers }: IncomingMessage) =>
    headers.upgrade?.toLowerCase() === "websocket" && url?.split("?")[0] === "/v1/session",
};

const endpointsOf = (
  { coordinator, identify, version, insecureHttp, publicUrl, rootFingerprint, installTrust }: ApiOptions,
  document: () => object,
): readonly Endpoint[] => [
  ...serviceRoutes(coordinator, version, document),
  ...sessionRoutes(coordinator, { insecureHttp }),
  ...groupRoutes(coordinator),
  ...policyRoutes(coordinator),
  ...channelRoutes(coordinator),
  ...leaseRoutes(coordinator),
  ...fleetLockSettingRoutes(coordinator),
  ...nodeRoutes(coordinator),
  ...releaseRoutes(coordinator),
  uploadRoute(coordinator),
  ...rolloutRoutes(coordinator),
  ...jobRoutes(coordinator),
  ...alertRoutes(coordinator),
  ...webhookRoutes(coordinator),
  eventsRoute(coordinator, identify),
  ...auditRoutes(coordinator),
  ...trustRoutes(installTrust),
  ...signInRoutes(coordinator, publicUrl),
  ...tokenRoutes(coordinator, { publicUrl, rootFingerprint }),
];

/** The entry of the permission table for a route; a HEAD is its GET. */
const keyOf = (method: string, url: string): RouteKey | null => {
  const key = `${method === "HEAD" ? "GET" : method} ${url}`;
  return isRouteKey(key) ? key : null;
};

const routeOf = (request: FastifyRequest): RouteKey | null =>
  request.routeOptions.url === undefined ? null : keyOf(request.method, request.routeOptions.url);

/** One line for each request: refusals of a person or node as warnings, reading and beating only when asked for. */
function logAnswer(request: FastifyRequest, status: number, ms: number): void {
  const fields = {
    method: request.method,
    route: request.routeOptions.url ?? request.url.split("?")[0],
    status,
    ms: Math.round(ms),
    caller: request.caller === null ? null : nameOf(request.caller),
    from: request.ip,
    ...(request.refusedCode === null ? {} : { code: request.refusedCode }),
  };
  const quiet = request.method === "GET" || request.method === "HEAD" || fields.route === "/v1/heartbeat";
  if (status >= 400) request.log.warn(fields, "refused");
  else if (quiet) request.log.debug(fields, "answered");
  else request.log.info(fields, "answered");
}

/** What is not even HTTP is answered by hand. */
function rawProblem(): string {
  const body = JSON.stringify({
    type: "urn:baton:problem:malformed",
    title: "Malformed",
    status: 400,
    detail: "This is not a request that can be read.",
    code: "malformed",
  });
  return `HTTP/1.1 400 Bad Request\r\ncontent-type: ${PROBLEM_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`;
}

/** Every route that the table knows, for what must cover them all. */
export const allRoutes = Object.keys(PERMISSIONS) as readonly RouteKey[];
