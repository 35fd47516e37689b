/** The WebSocket door: takes the upgrades of an HTTP server in, and closes all sessions when the coordinator goes. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { CLOSE, MAX_FRAME_BYTES, SUBPROTOCOL } from "../../protocol/frames.ts";
import { acceptedRequestId, REQUEST_ID_HEADER } from "../../protocol/request-id.ts";
import type { Sessions } from "../service/coordinator.ts";
import type { RequestScope } from "../service/request-scope.ts";
import { CONNECTION_LIMITS, type Connection, type ConnectionLimits, serveConnection } from "./connection.ts";
import type { LiveLog } from "./log.ts";
import { addressOf, admit, type IdentifyCaller, type NodePrincipal, refuseUpgrade } from "./upgrade.ts";

export type LiveDoor = {
  /** Listener for the `upgrade` event of an HTTP server. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** How many connections are open. */
  readonly size: number;
  /** Says 1001 to all who are there now: they come again, to whoever decides then. */
  readonly sendAway: () => void;
  /** Lets nobody in any more, says 1001 to all, and waits until they are closed. */
  close(): Promise<void>;
};

export function createLiveDoor(options: {
  readonly sessions: Sessions;
  readonly identify: IdentifyCaller;
  readonly log: LiveLog;
  /** Under which a connection's frames are taken, by the id of its upgrade. */
  readonly scope?: Pick<RequestScope, "run">;
  readonly limits?: Partial<ConnectionLimits>;
  /** Where a request came from first; the other end of its connection where it is not said. */
  readonly fromOf?: (request: IncomingMessage) => string;
}): LiveDoor {
  const { sessions, identify, log, scope, fromOf = addressOf } = options;
  const limits = { ...CONNECTION_LIMITS, ...options.limits };
  const connections = new Set<Connection>();
  let closing = false;
  let timesSentAway = 0;
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
    handleProtocols: () => SUBPROTOCOL,
  });
  // A handshake that breaks the WebSocket protocol: ws has answered it with 400.
  server.on("wsClientError", (error, _socket, request) => {
    log.warn({ from: fromOf(request), reason: error.message }, "malformed upgrade");
  });

  /** Holds on to nothing of the request: sessions last, and there are many. */
  const begin = (webSocket: WebSocket, node: NodePrincipal, requestId: string): void => {
    const receive: Sessions["receive"] = (...said) =>
      scope === undefined ? sessions.receive(...said) : scope.run(requestId, () => sessions.receive(...said));
    const about = { ...node, requestId };
    const connection = serveConnection(webSocket, about, { ...sessions, receive }, log, limits);
    connections.add(connection);
    connection.closed
      .finally(() => connections.delete(connection))
      .catch((error: unknown) => log.error({ err: error }, "unforeseen error at a session's end"));
  };

  const open = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const requestId = acceptedRequestId(request.headers[REQUEST_ID_HEADER]) ?? flat(randomUUID());
    const refuse = (refusal: Parameters<typeof refuseUpgrade>[1]): void => {
      log.warn({ requestId, from: fromOf(request), code: refusal.code, ...refusal.context }, "refused");
      refuseUpgrade(socket, refusal, requestId);
    };
    const sentAwayBefore = timesSentAway;
    const admitted = await admit(request, identify, fromOf(request));
    if (socket.destroyed) return;
    if (!admitted.ok) return refuse(admitted.error);
    if (closing) return refuse({ code: "unavailable", message: "The coordinator is shutting down." });
    // It was not there yet when the others were sent away, and would stay where nobody decides.
    if (timesSentAway > sentAwayBefore) return refuse(MOVED);
    const { value: node } = admitted;
    server.handleUpgrade(request, socket, head, (webSocket) => begin(webSocket, node, requestId));
  };

  const sendAway = (): void => {
    timesSentAway += 1;
    for (const each of connections) each.close(CLOSE.goingAway, "the coordinator is going away");
  };

  return {
    upgrade: (request, socket, head) => {
      // The peer may vanish while it is being identified; then there is nobody to tell.
      socket.on("error", (error) => log.debug({ reason: error.message }, "connection lost during upgrade"));
      open(request, socket, head).catch((error: unknown) => {
        log.error({ err: error }, "unforeseen error during upgrade");
        refuseUpgrade(socket, INTERNAL, randomUUID());
      });
    },
    get size() {
      return connections.size;
    },
    sendAway,
    close: async () => {
      closing = true;
      const all = [...connections];
      sendAway();
      await Promise.all(all.map(({ closed }) => closed));
      server.close();
    },
  };
}

/** One piece of text: what was put together from twenty pieces holds on to all of them, for as long as the session. */
const flat = (text: string): string => Buffer.from(text).toString("latin1");

const MOVED = { code: "unavailable", message: "Another coordinator decides by now: connect again." } as const;
const INTERNAL = { code: "internal", message: "Something went wrong inside the coordinator." } as const;
