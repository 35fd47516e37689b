/**
 * The local control API: HTTP on a unix socket that only the agent's user and group may open (0660). Whoever can
 * open it may have this node updated or rolled back, by lease like anybody else.
 */
import { once } from "node:events";
import { chmod, unlink } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { connect } from "node:net";
import type { Problem } from "../../protocol/problem.ts";
import { PROBLEM_STATUS } from "../../protocol/problem.ts";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import { hasCode } from "../effects/durable.ts";
import type { Log } from "../effects/log.ts";
import { type ControlPort, findRoute } from "./routes.ts";

export type ControlServer = { close(): Promise<void> };

/**
 * Listens on `path`. A socket that a dead agent left is replaced; one that answers belongs to another agent.
 * Errors: `already-running`.
 */
export async function startControlServer(
  path: string,
  port: ControlPort,
  log: Log,
): Promise<Result<ControlServer, Fault<"already-running">>> {
  if (await answers(path)) {
    return err({
      code: "already-running",
      message: `Another agent listens on ${path}. This one was not started.`,
      hint: "Stop the other one first: systemctl stop baton-agent.",
    });
  }
  await unlink(path).catch((cause: unknown) => {
    if (!hasCode(cause, "ENOENT")) throw cause;
  });
  const server = createServer((request, response) => {
    serve(port, request, response).catch((cause: unknown) => {
      log.error({ cause, url: request.url }, "a request on the control socket failed");
      if (response.headersSent) response.destroy();
      else
        sendFault(response, { code: "internal", message: "The agent failed to answer; its log says why." });
    });
  });
  server.listen(path);
  await once(server, "listening");
  await chmod(path, 0o660);
  return ok({
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

async function serve(port: ControlPort, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://agent");
  const found = findRoute(request.method ?? "", url);
  if (!found.ok) return sendFault(response, found.error);
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  const answer = await found.value(port, { url, body: request, signal: gone.signal });
  if (!answer.ok) return sendFault(response, answer.error);
  if (answer.value.kind === "json") {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(`${JSON.stringify(answer.value.body)}\n`);
    return;
  }
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  response.flushHeaders();
  for await (const event of answer.value.events) {
    if (gone.signal.aborted) return;
    if (!response.write(`${JSON.stringify(event)}\n`))
      await Promise.race([once(response, "drain"), aborted(gone.signal)]);
  }
  response.end();
}

function sendFault(response: ServerResponse, fault: Fault): void {
  const status = statusOf(fault.code);
  const problem: Problem = {
    type: `urn:baton:problem:${fault.code}`,
    title: fault.code,
    status,
    detail: fault.message,
    code: fault.code,
    ...(fault.hint === undefined ? {} : { hint: fault.hint }),
    ...(fault.context === undefined ? {} : { context: { ...fault.context } }),
  };
  response.writeHead(status, { "content-type": "application/problem+json", connection: "close" });
  response.end(`${JSON.stringify(problem)}\n`);
}

const statusOf = (code: string): number => {
  const statuses: Readonly<Record<string, number | undefined>> = PROBLEM_STATUS;
  return statuses[code] ?? (code === "unreachable" || code === "timed-out" ? 503 : 409);
};

const aborted = (signal: AbortSignal): Promise<unknown> =>
  signal.aborted ? Promise.resolve() : once(signal, "abort");

function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", (cause) => {
      if (hasCode(cause, "ENOENT") || hasCode(cause, "ECONNREFUSED")) resolve(false);
      else reject(cause);
    });
  });
}
