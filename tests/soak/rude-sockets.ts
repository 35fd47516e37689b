/** Connections of nobody in particular, each rude in its way. The coordinator has to get rid of them by itself. */
import { connect, type Socket } from "node:net";
import { SUBPROTOCOL } from "../../protocol/frames.ts";

export type Rudeness =
  /** Asks for the events, and reads none. */
  | "unread-events"
  /** Begins a request, and never ends it. */
  | "half-a-request"
  /** Opens a session as a node, and never says hello. */
  | "no-hello";

export class RudeSockets {
  readonly #port: number;
  readonly #sockets: Socket[] = [];

  constructor(url: string) {
    this.#port = Number(new URL(url).port);
  }

  /** `secret`: an operator's for events, a node's for sessions. */
  open(rudeness: Rudeness, count: number, secret: string): void {
    for (let nth = 0; nth < count; nth += 1) {
      const socket = connect(this.#port, "127.0.0.1");
      // That the coordinator cuts it off is what it is for.
      socket.on("error", () => socket.destroy());
      socket.on("connect", () => {
        socket.pause();
        socket.write(HEADS[rudeness](secret));
      });
      this.#sockets.push(socket);
    }
  }

  close(): void {
    for (const socket of this.#sockets.splice(0)) socket.destroy();
  }
}

const head = (path: string, secret: string, ...more: readonly string[]): string =>
  [`GET ${path} HTTP/1.1`, "host: 127.0.0.1", `authorization: Bearer ${secret}`, ...more].join("\r\n");

const HEADS: Readonly<Record<Rudeness, (secret: string) => string>> = {
  "unread-events": (secret) => `${head("/v1/events", secret)}\r\n\r\n`,
  "half-a-request": (secret) => `${head("/v1/jobs", secret)}\r\nx-more: `,
  "no-hello": (secret) =>
    `${head(
      "/v1/session",
      secret,
      "connection: Upgrade",
      "upgrade: websocket",
      "sec-websocket-version: 13",
      "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
      `sec-websocket-protocol: ${SUBPROTOCOL}`,
    )}\r\n\r\n`,
};
