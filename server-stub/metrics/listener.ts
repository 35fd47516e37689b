import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Metrics } from "./metrics.ts";

export type MetricsListener = { readonly url: string; close(): Promise<void> };

type Log = Record<"error", (fields: object, message: string) => void>;

/**
 * An address of its own for `GET /metrics`, by plain HTTP and for anybody who reaches it. Rejects when it cannot
 * listen there.
 */
export async function listenForScrapes(
  { address, port }: { readonly address: string; readonly port: number },
  metrics: Pick<Metrics, "text" | "contentType">,
  log: Log,
): Promise<MetricsListener> {
  const answer = async (response: ServerResponse): Promise<void> => {
    const text = await metrics.text();
    response.writeHead(200, { "content-type": metrics.contentType, "cache-control": "no-store" }).end(text);
  };
  const server = createServer({ headersTimeout: 5_000, requestTimeout: 5_000 }, (request, response) => {
    if (
      (request.method !== "GET" && request.method !== "HEAD") ||
      request.url?.split("?")[0] !== "/metrics"
    ) {
      response.writeHead(404).end();
      return;
    }
    answer(response).catch((error: unknown) => {
      log.error({ err: error }, "metrics could not be told");
      response.writeHead(500).end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, address, resolve);
  });
  const bound = server.address() as AddressInfo;
  return {
    url: `http://${bound.family === "IPv6" ? `[${bound.address}]` : bound.address}:${bound.port}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
