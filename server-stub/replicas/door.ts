/**
 * The door of one of several coordinators. While another one has the seat, what needs it is handed on there: every
 * request to the API, and the agents' WebSockets. What every coordinator can say itself is let through.
 *
 * Invariants: what was handed on once is never handed on again; while nobody is known to have the seat, and when the one
 * who had it goes, the answer is `unavailable` with a time to ask again, and nothing hangs on who does not answer.
 */

import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Agent } from "node:http";
import { Agent as TlsAgent } from "node:https";
import type { Duplex } from "node:stream";
import { problemOf } from "../../protocol/problem.ts";
import { acceptedRequestId, REQUEST_ID_HEADER } from "../../protocol/request-id.ts";
import type { Refusal } from "../service/coordinator.ts";
import { askSeat, exchange, join, type Way } from "./hand-on.ts";
import { isInside } from "./inside.ts";
import type { Origins } from "./origins.ts";

/** Who has the seat: this one, another one, or nobody that is known. */
export type Seated = {
  hasSeat(): boolean;
  seat(): { readonly claim: string; readonly address?: string } | null;
};

export type Door = {
  /** Takes a request that is not for this coordinator, and answers it. False: it is for this one. */
  readonly request: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** The same for a request to upgrade. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean;
  /** Somebody else has the seat, or nobody: what is still on its way to who had it is given up. */
  readonly moved: () => void;
  /** Why the coordinator that has the seat could not be reached the last time; null when it could. */
  readonly fault: () => string | null;
  /** The way to the coordinator that has the seat; null when it is this one, or nobody that is known. */
  readonly toSeat: () => Way | null;
  /** It was found to answer again. */
  readonly reached: () => void;
  /** Ends the WebSockets that lead through here: agents come again elsewhere. */
  readonly hangUp: () => void;
  readonly close: () => void;
};

type Log = Record<"debug" | "warn", (fields: object, message: string) => void>;

export type DoorOptions = {
  readonly seated: Seated;
  readonly origins: Origins;
  readonly tls: Way["tls"];
  /** Answers what other coordinators ask for themselves. */
  readonly inside: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  /** Everybody here is the local administrator: it is the control socket. */
  readonly isLocal?: boolean;
  readonly log: Log;
};

/** Connections that wait for their next request. */
const MAX_IDLE = 64;
const RETRY_AFTER_MS = 1_000;

export function createDoor({ seated, origins, tls, inside, isLocal = false, log }: DoorOptions): Door {
  const agents = {
    "http:": new Agent({ keepAlive: true, maxFreeSockets: MAX_IDLE }),
    "https:": new TlsAgent({ keepAlive: true, maxFreeSockets: MAX_IDLE, ...tls }),
  };
  /** What is on its way, by the claim that it was meant for. */
  const underWay = new Map<() => void, string>();
  const sockets = new Set<Duplex>();
  let fault: { readonly claim: string; readonly why: string } | null = null;

  /** Null: this coordinator is meant. */
  const wayOf = (request: IncomingMessage): Way | "refused" | null => {
    const seat = seated.seat();
    const mine = seated.hasSeat() ? (seat?.claim ?? null) : null;
    const isAdmitted = origins.admit(request, mine);
    if (isAdmitted !== null) return isAdmitted ? null : "refused";
    if (seated.hasSeat() || isAnsweredByAll(request.url ?? "")) return null;
    return toSeat() ?? "refused";
  };
  const toSeat = (): Way | null => {
    const seat = seated.hasSeat() ? null : seated.seat();
    if (seat?.address === undefined || !URL.canParse(seat.address)) return null;
    const address = new URL(seat.address);
    const agent = address.protocol === "https:" ? agents["https:"] : agents["http:"];
    return { address, claim: seat.claim, agent, tls };
  };
  const begin = (
    request: IncomingMessage,
    way: Way,
    isGone: () => boolean,
    more?: Readonly<Record<string, string>>,
  ) => {
    const requestId = idOf(request);
    const from = isLocal ? "control socket" : origins.fromOf(request);
    const asked = askSeat(request, way, { requestId, from, isLocal }, more);
    const giveUp = (): void => void asked.destroy(new Error("another coordinator decides now"));
    underWay.set(giveUp, way.claim);
    const fields = { requestId, from, method: request.method, to: way.address.origin };
    log.debug({ ...fields, path: request.url?.split("?")[0] }, "handed on");
    asked.on("close", () => underWay.delete(giveUp));
    for (const answered of ["response", "upgrade"])
      asked.on(answered, () => {
        fault = null;
      });
    asked.on("error", (error) => {
      // Whoever asked did not wait for the answer.
      if (isGone()) return;
      if (seated.seat()?.claim === way.claim && !asked.reusedSocket)
        fault = { claim: way.claim, why: error.message };
      log.warn({ ...fields, reason: error.message }, "could not be handed on");
    });
    return { asked, requestId, giveUp };
  };

  return {
    request(request, response) {
      const way = wayOf(request);
      if (way === null) {
        if (!isInside(request) || !origins.isAdmitted(request)) return false;
        inside(request, response).catch((error: unknown) => {
          log.warn({ err: error }, "another coordinator could not be answered");
          response.destroy();
        });
        return true;
      }
      if (way === "refused") {
        refuse(request, response, idOf(request));
        return true;
      }
      const { asked, requestId } = begin(request, way, () => response.destroyed);
      exchange(request, response, asked, () => refuse(request, response, requestId));
      return true;
    },
    upgrade(request, socket, head) {
      const way = wayOf(request);
      if (way === null) return false;
      socket.on("error", () => socket.destroy());
      if (way === "refused") {
        refuseRaw(socket, idOf(request));
        return true;
      }
      // The other end watches over its silence.
      if ("setTimeout" in socket && typeof socket.setTimeout === "function") socket.setTimeout(0);
      const { asked, requestId, giveUp } = begin(request, { ...way, agent: false }, () => socket.destroyed, {
        connection: "Upgrade",
        upgrade: "websocket",
      });
      const leave = (): void => void socket.destroy();
      sockets.add(socket);
      asked.on("upgrade", () => {
        underWay.delete(giveUp);
        underWay.set(leave, way.claim);
      });
      socket.on("close", () => {
        sockets.delete(socket);
        underWay.delete(leave);
      });
      join(socket, head, asked, () => refuseRaw(socket, requestId));
      return true;
    },
    moved() {
      const now = seated.seat()?.claim;
      for (const [giveUp, claim] of underWay) if (claim !== now) giveUp();
    },
    toSeat,
    reached: () => {
      fault = null;
    },
    fault: () => (fault !== null && fault.claim === seated.seat()?.claim ? fault.why : null),
    hangUp() {
      for (const socket of sockets) socket.destroy();
    },
    close() {
      for (const giveUp of underWay.keys()) giveUp();
      agents["http:"].destroy();
      agents["https:"].destroy();
    },
  };
}

/** What every coordinator knows or can find out: all but the API, and of that the stream of events. */
function isAnsweredByAll(url: string): boolean {
  const path = url.split("?")[0] ?? "";
  return !path.startsWith("/v1/") || path === "/v1/events" || path === "/v1/version";
}

const idOf = (request: IncomingMessage): string =>
  acceptedRequestId(request.headers[REQUEST_ID_HEADER]) ?? randomUUID();

const NOBODY: Refusal = {
  code: "unavailable",
  message: "The coordinator that decides could not be reached; another one takes its place if it is gone.",
  hint: "Ask again. If the request changed something, look first whether it was done.",
  retryAfterMs: RETRY_AFTER_MS,
};

function problem(requestId: string): { readonly body: string; readonly headers: Record<string, string> } {
  const body = JSON.stringify(problemOf(NOBODY, requestId));
  return {
    body,
    headers: {
      "content-type": "application/problem+json",
      "content-length": String(Buffer.byteLength(body)),
      "cache-control": "no-store",
      "retry-after": String(RETRY_AFTER_MS / 1_000),
      "x-request-id": requestId,
      connection: "close",
    },
  };
}

function refuse(request: IncomingMessage, response: ServerResponse, requestId: string): void {
  if (response.headersSent || response.destroyed) return;
  const { body, headers } = problem(requestId);
  // What is still coming in of it is not read.
  request.unpipe();
  request.resume();
  response.writeHead(503, headers).end(request.method === "HEAD" ? undefined : body);
}

function refuseRaw(socket: Duplex, requestId: string): void {
  if (socket.destroyed) return;
  const { body, headers } = problem(requestId);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end(`HTTP/1.1 503 Service Unavailable\r\n${lines.join("\r\n")}\r\n\r\n${body}`);
}
