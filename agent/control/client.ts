/** The other end of the control socket, for the `agent` command. */
import { request as httpRequest, type IncomingMessage } from "node:http";
import { parse, parseJson } from "../../protocol/parse.ts";
import { Problem, plainProblem } from "../../protocol/problem.ts";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import type { Static, TSchema } from "../../protocol/schema.ts";

export type ControlClient = {
  call<S extends TSchema>(call: ControlCall, reply: S): Promise<Result<Static<S>, Fault>>;
  /** The values of a stream, until the agent ends it (`ended`) or goes away (`gone`: it may come back). */
  stream<S extends TSchema>(
    path: string,
    event: S,
    signal: AbortSignal,
    take: (event: Static<S>) => void,
  ): Promise<Result<"ended" | "gone", Fault>>;
};

export type ControlCall = {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: object | NodeJS.ReadableStream;
};

/** Speaks to the agent that listens on `socketPath`. Errors: `agent-not-running`, `not-allowed`, or the agent's own. */
export function createControlClient(socketPath: string): ControlClient {
  return {
    call: async ({ method, path, body }, reply) => {
      const answer = await send(socketPath, { method, path, ...(body === undefined ? {} : { body }) });
      if (!answer.ok) return answer;
      const text = await readAll(answer.value);
      if (answer.value.statusCode !== 200) return err(problemOf(text));
      return parseJson(reply, text, `The agent's answer to ${path}`);
    },
    stream: async (path, event, signal, take) => {
      const answer = await send(socketPath, { method: "GET", path }, signal);
      if (!answer.ok) return answer;
      if (answer.value.statusCode !== 200) return err(problemOf(await readAll(answer.value)));
      let rest = "";
      try {
        for await (const chunk of answer.value.setEncoding("utf8")) {
          rest += chunk;
          const lines = rest.split("\n");
          rest = lines.pop() ?? "";
          for (const line of lines) {
            const parsed = parseJson(event, line, "A line of the agent");
            if (!parsed.ok) return parsed;
            take(parsed.value);
          }
        }
      } catch (cause) {
        if (cause instanceof Error) return ok("gone");
        throw cause;
      }
      return ok(answer.value.complete ? "ended" : "gone");
    },
  };
}

function send(
  socketPath: string,
  { method, path, body }: ControlCall,
  signal?: AbortSignal,
): Promise<Result<IncomingMessage, Fault>> {
  return new Promise((resolve) => {
    const request = httpRequest(
      { socketPath, method, path, agent: false, ...(signal === undefined ? {} : { signal }) },
      (response) => resolve(ok(response)),
    );
    request.on("error", (cause) => resolve(err(notReached(socketPath, cause))));
    if (body === undefined) request.end();
    else if ("pipe" in body) body.pipe(request);
    else request.end(JSON.stringify(body));
  });
}

function notReached(socketPath: string, cause: Error): Fault {
  const code = "code" in cause ? cause.code : "";
  if (code === "EACCES" || code === "EPERM") {
    return {
      code: "not-allowed",
      message: `You may not open ${socketPath}.`,
      hint: "Use sudo, or become a member of the group that owns it.",
    };
  }
  if (code === "ENOENT" || code === "ECONNREFUSED") {
    return {
      code: "agent-not-running",
      message: `No agent listens on ${socketPath}.`,
      hint: "Start it with: systemctl start baton-agent. If it listens elsewhere, say --socket or --config.",
    };
  }
  return {
    code: "agent-not-reached",
    message: `The agent on ${socketPath} was not reached: ${cause.message}.`,
  };
}

function problemOf(text: string): Fault {
  try {
    const problem = parse(Problem, JSON.parse(text), "The agent's answer");
    if (problem.ok) {
      const { code, detail, hint } = plainProblem(problem.value);
      return { code, message: detail, ...(hint === undefined ? {} : { hint }) };
    }
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  return {
    code: "malformed",
    message: "The agent's answer cannot be read; is another program on its socket?",
  };
}

async function readAll(response: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += chunk;
  return text;
}
