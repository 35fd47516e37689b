import { once } from "node:events";
import {
  createServer,
  request as forward,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { request as forwardEncrypted, createServer as serveEncrypted } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { connect as connectEncrypted, TLSSocket } from "node:tls";
import { FrameReader, type SeenFrame } from "./ws-frames.ts";

/**
 * An HTTP and WebSocket proxy that makes a network go wrong on purpose. Without a fault it passes everything on
 * unchanged but for hop-by-hop headers. It keeps a log of the requests, so that a test can prove what was asked.
 */

/** `tls`: it is spoken to by TLS, and its certificate must be one that this process trusts. */
export type ProxyTarget = { readonly host: string; readonly port: number; readonly tls?: boolean };

export type ProxyOptions = {
  readonly host?: string;
  readonly port?: number;
  readonly target: ProxyTarget;
  /** Certificate and key (PEM) with which it speaks TLS to its clients. */
  readonly tls?: { readonly cert: string; readonly key: string };
};

/** One request that went through. `status` and the bytes are filled in as it goes on. */
export type SeenRequest = {
  readonly atMs: number;
  readonly from: string;
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  status?: number;
  /** Bytes of the response's body that were handed to the client. */
  bytes: number;
  /** What the proxy did to it, when it did something. */
  fault?: Fault["do"];
};

/** What is done to a request; the first fault that matches is taken. */
export type Fault = {
  /** `refuse`: reset before an answer. `reset`, `close`, `stall`: after `afterBytes` of the response's body. `delay`: by `delayMs`, then pass on. */
  readonly do: "refuse" | "reset" | "close" | "stall" | "delay";
  readonly path?: RegExp;
  readonly method?: string;
  /** Address of the client. */
  readonly from?: string;
  readonly afterBytes?: number;
  readonly delayMs?: number;
  /** How many requests it befalls; all unless given. */
  readonly times?: number;
};

/** Says of a WebSocket frame whether it is passed on. A dropped one is lost without a trace, as if never sent. */
export type FrameFilter = (frame: SeenFrame & { readonly from: string }) => "pass" | "drop";

export class FaultProxy {
  readonly requests: SeenRequest[] = [];
  readonly frames: (SeenFrame & {
    readonly from: string;
    readonly atMs: number;
    readonly dropped: boolean;
  })[] = [];
  readonly #server: Server;
  readonly #target: ProxyTarget;
  readonly #open = new Set<Duplex>();
  #faults: { fault: Fault; left: number }[] = [];
  #filter: FrameFilter = () => "pass";

  private constructor({ target, tls }: ProxyOptions) {
    this.#target = target;
    const keepAliveTimeout = 60_000;
    this.#server =
      tls === undefined ? createServer({ keepAliveTimeout }) : serveEncrypted({ keepAliveTimeout, ...tls });
    this.#server.on("request", (request, response) => void this.#pass(request, response));
    this.#server.on("upgrade", (request, socket, head) => void this.#upgrade(request, socket, head));
    this.#server.on("connection", (socket) => this.#keep(socket));
    // A handshake that was cut short is the client's affair.
    this.#server.on("tlsClientError", (_error, socket: Duplex) => socket.destroy());
  }

  static async listen(options: ProxyOptions): Promise<FaultProxy> {
    const proxy = new FaultProxy(options);
    proxy.#server.listen(options.port ?? 0, options.host ?? "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get address(): AddressInfo {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("The proxy does not listen.");
    return address;
  }

  get url(): string {
    return `http://${this.address.address}:${this.address.port}`;
  }

  /** From now on the fault befalls what matches it. The function that it gives takes it away again. */
  inflict(fault: Fault): () => void {
    const entry = { fault, left: fault.times ?? Number.POSITIVE_INFINITY };
    this.#faults.push(entry);
    return () => {
      this.#faults = this.#faults.filter((one) => one !== entry);
    };
  }

  /** From now on the filter sees every WebSocket frame of every connection. */
  filterFrames(filter: FrameFilter): () => void {
    this.#filter = filter;
    return () => {
      this.#filter = () => "pass";
    };
  }

  /** Resets every connection that is open now, of one client or of all. */
  cut(from?: string): void {
    for (const socket of this.#open) if (from === undefined || addressOf(socket) === from) reset(socket);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#open) socket.destroy();
    this.#server.closeAllConnections();
    await closed;
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen = this.#note(request);
    const fault = this.#take(seen);
    if (fault !== undefined) seen.fault = fault.do;
    if (fault?.do === "refuse") return reset(request.socket);
    if (fault?.do === "delay") await pause(fault.delayMs ?? 0);
    const { host, port, tls } = this.#target;
    const onward = (tls === true ? forwardEncrypted : forward)({
      host,
      port,
      method: request.method,
      path: request.url,
      headers: request.headers,
      agent: false,
    });
    onward.on("error", () => reset(request.socket));
    response.on("close", () => onward.destroy());
    onward.on("response", (answer) => {
      seen.status = answer.statusCode ?? 0;
      response.writeHead(seen.status, endToEnd(answer.headers));
      response.flushHeaders();
      this.#body(answer, response, seen, fault).catch(() => reset(request.socket));
    });
    request.on("error", () => onward.destroy()).pipe(onward);
  }

  async #body(
    answer: IncomingMessage,
    response: ServerResponse,
    seen: SeenRequest,
    fault?: Fault,
  ): Promise<void> {
    const limit = endsBody(fault) ? (fault?.afterBytes ?? 0) : Number.POSITIVE_INFINITY;
    if (limit <= 0) return this.#endBody(response, fault);
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    const unlessGone = (cause: unknown): void => {
      if (!gone.signal.aborted) throw cause;
    };
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      const part = chunk.subarray(0, limit - seen.bytes);
      seen.bytes += part.length;
      const roomLeft = response.write(part);
      if (seen.bytes >= limit) return this.#endBody(response, fault);
      if (!roomLeft) await once(response, "drain", { signal: gone.signal }).catch(unlessGone);
      if (response.destroyed) return;
    }
    response.end();
  }

  /** What was written before must have left before the connection is ended. */
  #endBody(response: ServerResponse, fault?: Fault): void {
    const socket = response.socket;
    if (fault?.do === "stall" || socket === null) return;
    if (fault?.do === "close") socket.end(() => socket.destroy());
    else socket.write("", () => setImmediate(() => reset(socket)));
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const seen = this.#note(request);
    const fault = this.#take(seen);
    if (fault !== undefined) seen.fault = fault.do;
    if (fault?.do === "delay") await pause(fault.delayMs ?? 0);
    else if (fault !== undefined) return reset(socket);
    const { host, port, tls } = this.#target;
    const onward = tls === true ? connectEncrypted({ host, port }) : connect({ host, port });
    this.#keep(onward);
    const lines = [`${request.method} ${request.url} HTTP/1.1`];
    for (let i = 0; i < request.rawHeaders.length; i += 2) {
      lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`);
    }
    onward.write(`${lines.join("\r\n")}\r\n\r\n`);
    onward.write(head);
    this.#relay(socket, onward, new FrameReader("toServer"), seen);
    this.#relay(onward, socket, new FrameReader("toClient"), seen);
  }

  #relay(from: Duplex, to: Duplex, reader: FrameReader, seen: SeenRequest): void {
    from.on("data", (chunk: Buffer) => {
      if (reader.direction === "toClient") seen.bytes += chunk.length;
      for (const part of reader.read(chunk)) if (this.#lets(part.frame, seen)) to.write(part.bytes);
      if (reader.status !== undefined) seen.status = reader.status;
    });
    from
      .on("end", () => to.end())
      .on("close", () => to.destroy())
      .on("error", () => reset(to));
  }

  #lets(frame: SeenFrame | undefined, seen: SeenRequest): boolean {
    if (frame === undefined) return true;
    const whose = { ...frame, from: seen.from };
    const dropped = this.#filter(whose) === "drop";
    this.frames.push({ ...whose, atMs: Date.now(), dropped });
    return !dropped;
  }

  #note(request: IncomingMessage): SeenRequest {
    const { range, "if-range": ifRange } = request.headers;
    const seen: SeenRequest = {
      atMs: Date.now(),
      from: addressOf(request.socket) ?? "",
      method: request.method ?? "",
      path: request.url ?? "",
      range,
      ifRange: typeof ifRange === "string" ? ifRange : undefined,
      bytes: 0,
    };
    this.requests.push(seen);
    return seen;
  }

  #take(seen: SeenRequest): Fault | undefined {
    const entry = this.#faults.find(({ fault, left }) => left > 0 && matches(fault, seen));
    if (entry === undefined) return undefined;
    entry.left -= 1;
    return entry.fault;
  }

  #keep(socket: Duplex): void {
    this.#open.add(socket);
    socket.on("close", () => this.#open.delete(socket)).on("error", () => socket.destroy());
  }
}

/** Without the headers that speak of one connection only; the proxy has two. */
function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const { connection: _, "keep-alive": __, "transfer-encoding": ___, ...rest } = headers;
  return rest;
}

const endsBody = (fault: Fault | undefined): boolean =>
  fault?.do === "reset" || fault?.do === "close" || fault?.do === "stall";

const matches = (fault: Fault, seen: SeenRequest): boolean =>
  (fault.path?.test(seen.path) ?? true) &&
  (fault.method ?? seen.method) === seen.method &&
  (fault.from ?? seen.from) === seen.from;

function reset(socket: Duplex): void {
  // Only the plain connection below can be reset; the server keeps that one as well.
  if ("resetAndDestroy" in socket && !(socket instanceof TLSSocket) && !socket.destroyed)
    (socket as Socket).resetAndDestroy();
  else socket.destroy();
}

const addressOf = (socket: Duplex): string | undefined =>
  "remoteAddress" in socket ? (socket as Socket).remoteAddress : undefined;
