/** A real HTTP server on loopback whose answers a test sets, route by route. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export type PlainServer = Awaited<ReturnType<typeof startPlainServer>>;
export type PlainAnswer = { readonly status: number; readonly body: unknown };

export async function startPlainServer() {
  const routes = new Map<string, (body: unknown) => PlainAnswer>();
  const requests: { readonly route: string; readonly body: unknown }[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => {
      text += chunk;
    });
    request.on("end", () => {
      const route = `${request.method} ${request.url}`;
      const body: unknown = text === "" ? undefined : JSON.parse(text);
      requests.push({ route, body });
      const answer = routes.get(route)?.(body) ?? {
        status: 404,
        body: problem(404, "not-found", "No such page."),
      };
      response.writeHead(answer.status, { "content-type": "application/json" });
      response.end(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    routes,
    requests,
    asked: (route: string) => requests.filter((each) => each.route === route).map(({ body }) => body),
    stop: async () => {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, "close");
    },
  };
}

export const problem = (status: number, code: string, detail: string, more: object = {}) => ({
  type: `urn:baton:problem:${code}`,
  title: code,
  status,
  detail,
  code,
  ...more,
});
