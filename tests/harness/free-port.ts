import { once } from "node:events";
import { createServer } from "node:net";

/** A port of loopback that nobody listens on at this moment, for a process that must be told its own before it starts. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await once(server.close(), "close");
  return port;
}
