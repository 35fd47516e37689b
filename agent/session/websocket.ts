import WebSocket from "ws";
import { CLOSE, CoordinatorFrame, MAX_FRAME_BYTES, SUBPROTOCOL } from "../../protocol/frames.ts";
import { parseJson } from "../../protocol/parse.ts";
import { err, FaultError, ok, type Result } from "../../protocol/result.ts";
import type { Addresses } from "./addresses.ts";
import { failureOf, why } from "./http-client.ts";
import type { Network, SocketWay } from "./network.ts";
import type { OpenTransport, Transport, TransportEvents, TransportFault } from "./transport.ts";

const HANDSHAKE_TIMEOUT_MS = 10_000;

export type WebSocketOptions = {
  readonly addresses: Addresses;
  readonly credential: string;
  readonly network: Network;
};

/** Frames over a WebSocket: `GET /v1/session`, one JSON text message each. Source: RFC 6455. */
export const openWebSocket =
  ({ addresses, credential, network }: WebSocketOptions): OpenTransport =>
  async (events, signal) => {
    const server = addresses.current();
    const url = `${server.replace(/^http/, "ws")}/v1/session`;
    let way: SocketWay;
    try {
      way = await network.socketTo(url);
    } catch (cause) {
      if (!(cause instanceof FaultError)) throw cause;
      return err({ ...cause.fault, code: "unreachable" });
    }
    const socket = new WebSocket(url, SUBPROTOCOL, {
      headers: { authorization: `Bearer ${credential}` },
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      maxPayload: 4 * MAX_FRAME_BYTES,
      perMessageDeflate: false,
      ...way,
    });
    return new Promise((resolve) => {
      const giveUp = () => socket.terminate();
      const settle = (result: Result<Transport, TransportFault>) => {
        signal.removeEventListener("abort", giveUp);
        if (!result.ok && result.error.code !== "unauthorized") addresses.failed(server);
        resolve(result);
      };
      signal.addEventListener("abort", giveUp);
      if (signal.aborted) giveUp();
      // An error after the opening is followed by `close`, which says what is to be said.
      socket.on("error", (cause) => settle(err(notOpened(server, cause))));
      socket.on("close", () => settle(err(notOpened(server, new Error("the connection was closed")))));
      socket.on("unexpected-response", (_request, response) => {
        collect(response).then(
          (text) => settle(err(refusedUpgrade(server, response.statusCode ?? 0, text))),
          (cause: unknown) => settle(err(notOpened(server, cause))),
        );
      });
      socket.on("open", () => settle(ok(opened(socket, server, events))));
    });
  };

function opened(socket: WebSocket, server: string, events: TransportEvents): Transport {
  let over = false;
  const end = (fault: TransportFault) => {
    if (over) return;
    over = true;
    socket.terminate();
    events.ended(fault);
  };
  socket.on("ping", () => events.heard());
  socket.on("pong", () => events.heard());
  socket.on("message", (data, isBinary) => {
    if (over) return;
    events.heard();
    const text = Buffer.isBuffer(data) && !isBinary ? data.toString("utf8") : "";
    const parsed = parseJson(CoordinatorFrame, text, "The coordinator's frame");
    if (parsed.ok) events.frame(parsed.value);
    else {
      socket.close(CLOSE.malformed, "malformed");
      end({ code: "malformed", message: parsed.error.message });
    }
  });
  socket.on("close", (code, reason) => end(closedBy(server, code, reason.toString("utf8"))));
  return {
    kind: "websocket",
    server,
    send: (frames) => {
      // The callback takes the error of a socket that is closing; `close` tells of it.
      for (const frame of frames) socket.send(JSON.stringify(frame), () => undefined);
    },
    probe: () => socket.ping(() => undefined),
    close: () => {
      over = true;
      socket.close(1000);
      // A peer that is gone never answers the closing handshake.
      setTimeout(() => socket.terminate(), 1_000).unref();
    },
  };
}

function closedBy(server: string, code: number, reason: string): TransportFault {
  const said = reason === "" ? "" : ` (${reason})`;
  switch (code) {
    case CLOSE.superseded:
      return {
        code: "superseded",
        message: `${server} ended the session: another process of this node opened one${said}.`,
        hint: "If that was not a restart, two machines use the same state/node.json: join one of them anew.",
      };
    case CLOSE.revoked:
      return {
        code: "unauthorized",
        message: `${server} ended the session: this node's credential was revoked${said}.`,
        hint: "Join again with a new token: agent join --force.",
      };
    case CLOSE.malformed:
    case CLOSE.tooLarge:
    case CLOSE.policy:
      return {
        code: "malformed",
        message: `${server} ended the session because of what this agent sent: code ${code}${said}.`,
      };
    default:
      return { code: "unreachable", message: `${server} ended the session: code ${code}${said}.` };
  }
}

/** A server that refuses the upgrade: the credential is wrong, or it (or a proxy) has no WebSocket. */
function refusedUpgrade(server: string, status: number, text: string): TransportFault {
  const { message, hint } = failureOf(server, status, text, undefined);
  const code =
    status === 401 || status === 403 || status === 429
      ? "unauthorized"
      : status >= 500
        ? "unreachable"
        : "not-supported";
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}

/** Errors after which trying the same address by HTTP is pointless. */
const NOBODY_THERE = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/;

function notOpened(server: string, cause: unknown): TransportFault {
  const code = cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : "";
  return {
    code: NOBODY_THERE.test(code) ? "unreachable" : "not-supported",
    message: `${server} has no session by WebSocket: ${why(cause)}.`,
  };
}

async function collect(response: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8").slice(0, 65_536);
}
