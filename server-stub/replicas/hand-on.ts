/** One request or WebSocket that is handed on to the coordinator that has the seat, as it is. */
import type { Agent, ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import type { DurationMs } from "../../protocol/time.ts";
import { DOOR_HEADER, FROM_HEADER, isEncrypted, LOCAL_HEADER, TLS_HEADER } from "./origins.ts";

export type Way = {
  /** Where the coordinator that has the seat is reached. */
  readonly address: URL;
  readonly claim: string;
  readonly agent: Agent | false;
  /** How its certificate is looked at. */
  readonly tls: { readonly ca?: Buffer; readonly servername?: string };
};

export type Asked = { readonly requestId: string; readonly from: string; readonly isLocal: boolean };

export const HAND_ON_TIMES = {
  /** To reach the other one. */
  connectMs: 2_000,
  /** Without a byte in either direction. */
  silentMs: 60_000,
} as const satisfies Record<string, DurationMs>;

/** Of one connection, and not of the request (RFC 9110, 7.6.1); and what only coordinators say. */
const NOT_ON = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "upgrade",
  "expect",
  DOOR_HEADER,
  FROM_HEADER,
  LOCAL_HEADER,
  TLS_HEADER,
]);

/** Begins the request; its body is the caller's to send. */
export function askSeat(
  request: IncomingMessage,
  way: Way,
  { requestId, from, isLocal }: Asked,
  more: Readonly<Record<string, string>> = {},
): ClientRequest {
  return open(way, request.method ?? "GET", request.url ?? "/", {
    ...endToEnd(request.headers),
    ...more,
    "x-request-id": requestId,
    [FROM_HEADER]: from,
    ...(isEncrypted(request) ? { [TLS_HEADER]: "1" } : {}),
    ...(isLocal ? { [LOCAL_HEADER]: "1" } : {}),
  });
}

/** Asks the seat for this coordinator itself, and gives up after so long a silence. To be ended by the caller. */
export function askForItself(way: Way, path: string, silentMs: DurationMs): ClientRequest {
  const asked = open(way, "GET", path, {});
  return asked.setTimeout(silentMs, () => asked.destroy(new Error("it has not answered in time")));
}

function open(
  { address, claim, agent, tls }: Way,
  method: string,
  path: string,
  headers: Readonly<Record<string, string | string[]>>,
): ClientRequest {
  const options = {
    agent,
    hostname: address.hostname.replace(/^\[|\]$/g, ""),
    port: address.port,
    method,
    path,
    headers: { ...headers, [DOOR_HEADER]: claim },
  };
  const asked = address.protocol === "https:" ? httpsRequest({ ...options, ...tls }) : httpRequest(options);
  const slow = setTimeout(
    () => asked.destroy(new Error("it took too long to connect")),
    HAND_ON_TIMES.connectMs,
  );
  const connected = (): void => clearTimeout(slow);
  asked.on("close", connected);
  asked.on("socket", (socket) => {
    if (socket.connecting)
      socket.once(address.protocol === "https:" ? "secureConnect" : "connect", connected);
    else connected();
  });
  return asked;
}

/** Sends the request's body, and answers with what comes back. `failed`: nothing was answered yet. */
export function exchange(
  request: IncomingMessage,
  response: ServerResponse,
  asked: ClientRequest,
  failed: (error: Error) => void,
): void {
  asked.setTimeout(HAND_ON_TIMES.silentMs, () => asked.destroy(new Error("it has not answered in time")));
  asked.on("error", (error) => {
    if (response.headersSent) response.destroy();
    else failed(error);
  });
  asked.on("response", (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, passedBack(answer.rawHeaders));
    answer.on("error", () => response.destroy());
    answer.pipe(response);
  });
  // Who asked is gone, or was answered before all of it was read.
  response.on("close", () => asked.destroy());
  if (hasBody(request)) request.pipe(asked);
  else asked.end();
}

/** Ties a request to upgrade to the other one's answer: from there on the bytes are between the two ends. */
export function join(
  socket: Duplex,
  head: Buffer,
  asked: ClientRequest,
  failed: (error: Error) => void,
): void {
  let isJoined = false;
  asked.on("error", (error) => {
    if (isJoined) socket.destroy();
    else failed(error);
  });
  asked.on("response", (answer) => {
    isJoined = true;
    const headers = [...passedBack(answer.rawHeaders), "connection", "close"];
    socket.write(startOf(answer, headers));
    answer.on("error", () => socket.destroy());
    answer.pipe(socket);
  });
  asked.on("upgrade", (answer, other, first) => {
    isJoined = true;
    socket.write(startOf(answer, answer.rawHeaders));
    if (first.length > 0) socket.write(first);
    if (head.length > 0) other.write(head);
    const part = (): void => {
      socket.destroy();
      other.destroy();
    };
    for (const end of [socket, other]) end.on("error", part).on("close", part);
    other.pipe(socket);
    socket.pipe(other);
  });
  socket.on("close", () => asked.destroy());
  asked.end();
}

function endToEnd(headers: IncomingMessage["headers"]): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      NOT_ON.has(name) || value === undefined ? [] : [[name, value]],
    ),
  );
}

/** Names and values in turn, as they came. How the answer's end is told is for our own connection to say. */
function passedBack(raw: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const [name = "", value = ""] = [raw[at], raw[at + 1]];
    const lower = name.toLowerCase();
    if (!NOT_ON.has(lower) && lower !== "transfer-encoding") kept.push(name, value);
  }
  return kept;
}

function startOf({ statusCode, statusMessage }: IncomingMessage, headers: readonly string[]): string {
  const lines = [`HTTP/1.1 ${statusCode ?? 502} ${statusMessage ?? ""}`];
  for (let at = 0; at + 1 < headers.length; at += 2) lines.push(`${headers[at]}: ${headers[at + 1]}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
