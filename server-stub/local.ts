/**
 * The local administrator's way in: over the control socket of a coordinator that runs, or, when none does, over
 * the same API put together for a moment on the same state directory.
 */
import { request as httpRequest } from "node:http";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import pino from "pino";
import { parse } from "../protocol/parse.ts";
import { Problem } from "../protocol/problem.ts";
import { type Fault, FaultError } from "../protocol/result.ts";
import { type Static, type TSchema, Value } from "../protocol/schema.ts";
import { identifyAsLocal } from "./api/authorize.ts";
import { createApi } from "./api/server.ts";
import { type Assembled, assemble } from "./assemble.ts";
import { systemClock } from "./clock.ts";
import type { Config } from "./config.ts";

export type Local = {
  /** Throws `FaultError` with the problem's code when it is refused. */
  call<S extends TSchema>(
    method: "GET" | "POST",
    path: string,
    answer: S,
    body?: unknown,
  ): Promise<Static<S>>;
};

type Ask = (
  method: string,
  path: string,
  body: string | undefined,
) => Promise<{ status: number; text: string }>;

/** A coordinator that has its database but not its socket yet is starting: it is waited for, so many times so long. */
const STARTING = { looks: 100, everyMs: 100 };

/** Runs `work` as the local administrator. Throws `FaultError` also for what keeps the database from being opened. */
export function asLocal<T>(
  config: Config,
  work: (local: Local) => Promise<T>,
  wait: (ms: number) => Promise<unknown> = sleep,
): Promise<T> {
  return runningOrNot(
    config,
    {
      running: () => work(localOver(askSocket(config.controlSocket))),
      stopped: (assembled) => withoutService(config, assembled, work),
    },
    wait,
  );
}

/**
 * Does one thing or the other: while a coordinator runs, or on its state directory while none does. `stopped` closes
 * what it is given. Throws `FaultError` for what keeps the database from being opened.
 */
export async function runningOrNot<T>(
  config: Config,
  work: { readonly running: () => Promise<T>; readonly stopped: (assembled: Assembled) => Promise<T> },
  wait: (ms: number) => Promise<unknown> = sleep,
): Promise<T> {
  for (let looks = 1; ; looks += 1) {
    if (await isRunning(config)) return work.running();
    const assembled = await assemble(config, pino({ level: "silent" }), systemClock);
    if (assembled.ok) return work.stopped(assembled.value);
    if (assembled.error.code !== "store-in-use" || looks >= STARTING.looks)
      throw new FaultError(assembled.error);
    await wait(STARTING.everyMs);
  }
}

/** A coordinator answers on the control socket. */
export const isRunning = ({ controlSocket }: Config): Promise<boolean> => answers(askSocket(controlSocket));

/** What a running coordinator answers, as it comes. Throws `FaultError` with the problem's code when it refuses. */
export const streamLocal = ({ controlSocket }: Config, path: string): Promise<Readable> =>
  new Promise((resolve, reject) => {
    const request = httpRequest({ socketPath: controlSocket, method: "GET", path }, (response) => {
      if (response.statusCode === 200) return resolve(response);
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        text += part;
      });
      response.on("end", () => {
        const value: unknown = text.startsWith("{") ? JSON.parse(text) : null;
        reject(
          Value.Check(Problem, value)
            ? new FaultError(faultOf(value))
            : new Error(`GET ${path} was answered ${response.statusCode}: ${text}`),
        );
      });
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end();
  });

async function withoutService<T>(
  config: Config,
  { doors, close }: Assembled,
  work: (local: Local) => Promise<T>,
): Promise<T> {
  const publicUrl = () => config.publicUrl ?? `http://${config.listen.address}:${config.listen.port}`;
  const api = createApi({ ...doors, identify: identifyAsLocal, publicUrl });
  try {
    return await work(
      localOver(async (method, url, body) => {
        const { statusCode, payload } = await api.inject({
          method: method as "GET" | "POST",
          url,
          ...(body === undefined ? {} : { body, headers: { "content-type": "application/json" } }),
        });
        return { status: statusCode, text: payload };
      }),
    );
  } finally {
    await api.close();
    await close();
  }
}

const localOver = (ask: Ask): Local => ({
  call: async (method, path, answer, body) => {
    const { status, text } = await ask(method, path, body === undefined ? undefined : JSON.stringify(body));
    const value: unknown = JSON.parse(text);
    if (status >= 400) {
      if (!Value.Check(Problem, value)) throw new Error(`${method} ${path} was answered ${status}: ${text}`);
      throw new FaultError(faultOf(value));
    }
    const parsed = parse(answer, value, `The answer to ${method} ${path}`);
    if (!parsed.ok) throw new FaultError(parsed.error);
    return parsed.value;
  },
});

const faultOf = ({ code, detail, hint }: Problem): Fault => ({
  code,
  message: detail,
  ...(hint === undefined ? {} : { hint }),
});

const askSocket =
  (socketPath: string): Ask =>
  (method, path, body) =>
    new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { "content-type": "application/json" };
      const request = httpRequest({ socketPath, method, path, headers }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => {
          text += part;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
        response.on("error", reject);
      });
      request.on("error", reject);
      request.end(body);
    });

/** Whether a coordinator runs. A socket that nobody listens on is what a crash left. */
async function answers(ask: Ask): Promise<boolean> {
  try {
    return (await ask("GET", "/healthz", undefined)).status === 200;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ECONNREFUSED" || code === "ECONNRESET") return false;
    if (code !== "EACCES") throw error;
    throw new FaultError(
      {
        code: "forbidden",
        message: "The state directory belongs to another user, and nothing was done.",
        hint: "Run this as root, or as the coordinator's user.",
      },
      { cause: error },
    );
  }
}
