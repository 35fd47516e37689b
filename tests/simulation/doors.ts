/** The doors of one coordinator's process: what agents say over sockets and by HTTP, and what breaks with the process. */
import type { AgentFrame, CoordinatorFrame } from "../../protocol/frames.ts";
import type { NodeId } from "../../protocol/names.ts";
import { problemOf } from "../../protocol/problem.ts";
import type { Result } from "../../protocol/result.ts";
import type { Coordinator, Principal, Refusal } from "../../server-stub/service/coordinator.ts";
import { type Coordinating, type CoordinatorWatch, isAway } from "./coordinator-parts.ts";
import { checkAgentFrame, readAgentFrame } from "./frames.ts";
import type { ServerEnd } from "./socket.ts";

export type HttpAnswer = { readonly status: number; readonly text: string };

/** What nobody waits for any more. */
const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

export class Doors {
  readonly #by: Coordinating;
  readonly #watch: CoordinatorWatch;
  readonly #services: () => Coordinator | null;
  readonly #sockets = new Set<ServerEnd>();
  readonly #calls = new Set<() => void>();

  constructor(by: Coordinating, watch: CoordinatorWatch, services: () => Coordinator | null) {
    this.#by = by;
    this.#watch = watch;
    this.#services = services;
  }

  open(socket: ServerEnd): void {
    this.#sockets.add(socket);
  }

  closed(socket: ServerEnd): void {
    this.#sockets.delete(socket);
  }

  /** Every connection breaks. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.reset();
    for (const fail of this.#calls) fail();
    this.#sockets.clear();
    this.#calls.clear();
  }

  /** A frame that came over a socket. `broken`: it could not be taken, and the connection is closed. */
  async take(nodeId: NodeId, text: string): Promise<readonly CoordinatorFrame[] | "malformed" | "broken"> {
    const frame = readAgentFrame(text);
    if (!frame.ok) return "malformed";
    try {
      return await this.#receive(nodeId, [frame.value]);
    } catch (cause) {
      if (!isAway(cause)) throw cause;
      this.#watch.count("frame: not taken");
      return "broken";
    }
  }

  async #receive(nodeId: NodeId, frames: readonly AgentFrame[]): Promise<readonly CoordinatorFrame[]> {
    const services = this.#services();
    if (services === null) return never();
    this.#watch.receiving(this.#by, nodeId, frames);
    const answers = await services.sessions.receive(nodeId, frames, "10.0.0.1");
    this.#watch.received(this.#by, nodeId, { frames, answers });
    return answers;
  }

  /** Null when nobody can be told apart right now. */
  async authenticate(credential: string): Promise<Principal | null> {
    return (await this.#services()?.access.authenticate(credential, "10.0.0.1")) ?? null;
  }

  /** One HTTP request of a node; null when the connection broke before there was an answer. */
  async call(credential: string, path: string, body: string): Promise<HttpAnswer | null> {
    const cut = Promise.withResolvers<null>();
    const fail = () => cut.resolve(null);
    this.#calls.add(fail);
    const serving = this.#serve(credential, path, body).catch((cause: unknown) => {
      if (!isAway(cause)) throw cause;
      this.#watch.count("request: not served");
      return answerOf({ ok: false, error: { code: "unavailable", message: "Ask again." } });
    });
    try {
      return await Promise.race([serving, cut.promise]);
    } finally {
      this.#calls.delete(fail);
    }
  }

  async #serve(credential: string, path: string, body: string): Promise<HttpAnswer> {
    const services = this.#services();
    const by = await this.authenticate(credential);
    if (by?.kind !== "node" || services === null)
      return answerOf({
        ok: false,
        error: { code: "unauthorized", message: "Nobody knows this credential." },
      });
    const asked: unknown = JSON.parse(body);
    if (path === "/v1/heartbeat") {
      const { frames } = asked as { frames: readonly unknown[] };
      const parsed = frames.map((frame) => checkAgentFrame(frame));
      const good = parsed.flatMap((frame) => (frame.ok ? [frame.value] : []));
      if (good.length < parsed.length)
        return answerOf({ ok: false, error: { code: "malformed", message: "A frame is malformed." } });
      return answerOf({ ok: true, value: { frames: await this.#receive(by.nodeId, good) } });
    }
    const [, group = "", action = ""] = /^\/v1\/groups\/([^/]+)\/lease\/([a-z]+)$/.exec(path) ?? [];
    if (by.group !== group)
      return answerOf({ ok: false, error: { code: "forbidden", message: "That is another group." } });
    const { leases } = services;
    type Call = (nodeId: NodeId, group: string, request: never) => Promise<Result<unknown, Refusal>>;
    const calls: Readonly<Record<string, Call>> = {
      reserve: (...args) => leases.reserve(...args),
      renew: (...args) => leases.renew(...args),
      commit: (...args) => leases.commit(...args),
      cancel: (...args) => leases.cancel(...args),
    };
    const call = calls[action];
    if (call === undefined)
      return answerOf({ ok: false, error: { code: "not-found", message: `There is no ${path}.` } });
    return answerOf(await call(by.nodeId, group, asked as never));
  }
}

function answerOf(result: Result<unknown, Refusal>): HttpAnswer {
  if (result.ok) return { status: 200, text: JSON.stringify(result.value) };
  const problem = problemOf(result.error);
  return { status: problem.status, text: JSON.stringify(problem) };
}
