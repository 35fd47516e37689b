import { execFile } from "node:child_process";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startConnectProxy } from "../harness/connect-proxy.ts";

/** `baton` as a process: what only its main file puts together. */
const MAIN = join(import.meta.dirname, "../../cli/main.ts");

let coordinator: Server;
let proxy: Awaited<ReturnType<typeof startConnectProxy>>;
let port = 0;

beforeAll(async () => {
  coordinator = createServer((_, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ version: "9.9.9", protocol: 2, oldestProtocol: 1 }));
  });
  await new Promise<void>((resolve) => coordinator.listen(0, "127.0.0.1", resolve));
  ({ port } = coordinator.address() as AddressInfo);
  proxy = await startConnectProxy();
});
afterAll(async () => {
  coordinator.closeAllConnections();
  coordinator.close();
  await proxy.stop();
});

const baton = (env: Record<string, string>, ...argv: readonly string[]) =>
  new Promise<{ status: number; out: string; err: string }>((resolve) => {
    const options = { env: { HOME: "/nonexistent", PATH: process.env.PATH, ...env } };
    execFile(process.execPath, [MAIN, ...argv], options, (error, out, err) =>
      resolve({ status: typeof error?.code === "number" ? error.code : 0, out, err }),
    );
  });

test("goes through the proxy that the environment names, and reaches this machine without it", async () => {
  const [far, near] = await Promise.all([
    baton({ HTTP_PROXY: proxy.url, BATON_URL: `http://coordinator.example:${port}` }, "version"),
    baton({ HTTP_PROXY: proxy.url, BATON_URL: `http://127.0.0.1:${port}` }, "version"),
  ]);
  expect(far).toMatchObject({
    status: 0,
    out: expect.stringContaining("9.9.9 at http://coordinator.example"),
  });
  expect(near).toMatchObject({ status: 0, out: expect.stringContaining("9.9.9 at http://127.0.0.1") });
  expect(proxy.asked).toEqual([expect.stringContaining(`coordinator.example:${port}`)]);
});
