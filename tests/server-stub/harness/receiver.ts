/** A real HTTP server on loopback that webhooks lead to, and that behaves as it is told. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { WebhookMessage } from "../../../protocol/webhook.ts";

export type Received = {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly message: WebhookMessage;
};

export class Receiver {
  readonly received: Received[] = [];
  /** What it does with each request. Unless told otherwise it takes it. */
  answer: (response: ServerResponse, received: Received) => void = (response) =>
    response.writeHead(204).end();
  readonly #server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (part: string) => {
      body += part;
    });
    request.on("end", () => {
      const received = { headers: request.headers, body, message: JSON.parse(body) as WebhookMessage };
      this.received.push(received);
      for (const taker of this.#takers.splice(0)) taker(received);
      this.answer(response, received);
    });
  });
  readonly #takers: ((received: Received) => void)[] = [];

  static async listen(): Promise<Receiver> {
    const receiver = new Receiver();
    receiver.#server.listen(0, "127.0.0.1");
    await once(receiver.#server, "listening");
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  /** The next request that comes. */
  next(): Promise<Received> {
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
