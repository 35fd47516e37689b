/** A real HTTP proxy on loopback: tunnels by CONNECT, forwards plain requests, and resolves every name to 127.0.0.1. */
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

export type ConnectProxy = Awaited<ReturnType<typeof startConnectProxy>>;

/** With `user` it wants that one's password, "ada:secret". */
export async function startConnectProxy({ user = "" } = {}) {
  /** Whom it was asked for: "CONNECT host:port", "GET http://host:port/path". */
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const wanted = user === "" ? undefined : `Basic ${Buffer.from(user).toString("base64")}`;
  const isLetIn = ({ headers }: IncomingMessage) => headers["proxy-authorization"] === wanted;
  const server = createServer((incoming, outgoing) => forward(incoming, outgoing));
  const forward = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    if (!isLetIn(incoming)) return outgoing.writeHead(407).end();
    const { port, pathname, search, host } = new URL(incoming.url ?? "");
    const { method, headers } = incoming;
    const onward = request({
      host: "127.0.0.1",
      port,
      path: pathname + search,
      method,
      headers: { ...headers, host },
    });
    onward.on("response", (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.writeHead(502).end());
    return incoming.pipe(onward);
  };
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("upgrade", (incoming: IncomingMessage, socket: Socket) => {
    asked.push(`UPGRADE ${incoming.url}`);
    socket.end("HTTP/1.1 400 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
  });
  server.on("connect", (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
    asked.push(`CONNECT ${incoming.url}`);
    if (!isLetIn(incoming)) {
      socket.end("HTTP/1.1 407 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
      return;
    }
    const port = Number(/:(\d+)$/.exec(incoming.url ?? "")?.[1]);
    const onward = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      onward.write(head);
      onward.pipe(socket);
      socket.pipe(onward);
    });
    sockets.add(onward);
    onward.on("error", () => socket.destroy());
    onward.on("close", () => sockets.delete(onward));
    socket.on("error", () => onward.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    asked,
    port,
    url: `http://${user === "" ? "" : `${user}@`}127.0.0.1:${port}`,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
