import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { FastifyInstance } from "fastify";
import { acceptedRequestId, REQUEST_ID_HEADER } from "../../protocol/request-id.ts";
import type { RequestScope } from "../service/request-scope.ts";

/** The caller's own id for its request, or else a fresh one. */
export const requestIdOf = (headers: IncomingHttpHeaders): string =>
  acceptedRequestId(headers[REQUEST_ID_HEADER]) ?? randomUUID();

/** Answers every request with its id, and does all of its work under it. */
export function carryRequestIds(app: FastifyInstance, scope: RequestScope): void {
  app.addHook("onRequest", (request, reply, done) => {
    reply.header(REQUEST_ID_HEADER, request.id);
    scope.run(request.id, done);
  });
  // A body comes in by events of its socket, which know nothing of the request.
  app.addHook("preValidation", (request, _reply, done) => scope.run(request.id, done));
}
