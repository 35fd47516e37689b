/**
 * What happens before a session's WebSocket is open: the request to upgrade is let in, or answered as the plain
 * HTTP request that it still is, with a problem.
 */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { SUBPROTOCOL } from "../../protocol/frames.ts";
import { problemOf } from "../../protocol/problem.ts";
import { err, ok, type Result } from "../../protocol/result.ts";
import type { Principal, Refusal } from "../service/coordinator.ts";

/** Finds out who is calling; null when no credential was given. */
export type IdentifyCaller = (request: {
  readonly headers: IncomingHttpHeaders;
  readonly from: string;
}) => Promise<Result<Principal | null, Refusal>>;

export type NodePrincipal = Extract<Principal, { kind: "node" }>;

/** The node that may open a session with this request. Errors: `unauthorized`, `forbidden`, `malformed`. */
export async function admit(
  request: IncomingMessage,
  identify: IdentifyCaller,
  from: string,
): Promise<Result<NodePrincipal, Refusal>> {
  const who = await identify({ headers: request.headers, from });
  if (!who.ok) return who;
  if (who.value === null) {
    return err({
      code: "unauthorized",
      message: "A session needs a node's credential, and none was given.",
      hint: 'Send "Authorization: Bearer …" with the credential that joining gave.',
    });
  }
  if (who.value.kind !== "node") {
    return err({ code: "forbidden", message: "Only a node opens a session.", hint: "Use the HTTP API." });
  }
  const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((each) => each.trim());
  if (!offered.includes(SUBPROTOCOL)) {
    return err({
      code: "malformed",
      message: `A session speaks the subprotocol ${SUBPROTOCOL}, which was not offered.`,
      hint: "Update the agent, or let it use POST /v1/heartbeat.",
    });
  }
  return ok(who.value);
}

/** Answers the request to upgrade with a problem, and closes the connection. */
export function refuseUpgrade(socket: Duplex, refusal: Refusal, requestId: string): void {
  const problem = problemOf(refusal, requestId);
  const body = JSON.stringify(problem);
  const lines = [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    "content-type: application/problem+json",
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    ...(problem.status === 401 ? ['www-authenticate: Bearer realm="baton"'] : []),
    "connection: close",
  ];
  socket.end(`${lines.join("\r\n")}\r\n\r\n${body}`);
}

export const addressOf = (request: IncomingMessage): string => request.socket.remoteAddress ?? "unknown";
