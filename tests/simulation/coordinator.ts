/**
 * The coordinator's machine: one process of the real services after the other, over what is stored. A process that
 * crashes is cut off from its store and its doors at once, wherever it stands.
 */
import type { AgentFrame, CoordinatorFrame } from "../../protocol/frames.ts";
import type { NodeId } from "../../protocol/names.ts";
import { problemOf } from "../../protocol/problem.ts";
import type { Result } from "../../protocol/result.ts";
import type { Coordinator, Principal, Refusal } from "../../server-stub/service/coordinator.ts";
import { createCoordinator } from "../../server-stub/service/create.ts";
import type { Log, Parts, Timings } from "../../server-stub/service/parts.ts";
import { createReplica, type Replica, type SeatLock } from "../../server-stub/service/replica.ts";
import { markRestored } from "../../server-stub/service/restart.ts";
import type { Change } from "../../server-stub/store/records.ts";
import { NotInSeat } from "../../server-stub/store/seated.ts";
import type { Store } from "../../server-stub/store/store.ts";
import { Shelf } from "../server-stub/service/shelf.ts";
import type { Builds } from "./builds.ts";
import { MachineClock } from "./clock.ts";
import { checkAgentFrame, readAgentFrame } from "./frames.ts";
import type { Network } from "./network.ts";
import type { Random } from "./random.ts";
import type { ServerEnd } from "./socket.ts";
import type { Storage } from "./storage.ts";
import { storeOfProcess } from "./store.ts";
import type { Story } from "./story.ts";
import type { Time } from "./time.ts";

export type CoordinatorWatch = {
  written(changes: readonly Change[], store: Store): void;
  /** A process has begun; `restored`: on a backup. */
  began(store: Store, restored: boolean): Promise<void>;
  ended(): void;
  receiving(nodeId: NodeId, frames: readonly AgentFrame[]): void;
  received(nodeId: NodeId, answers: readonly CoordinatorFrame[]): void;
  wentWrong(message: string, fields: object): void;
  /** Something that a history may or may not have. */
  count(what: string): void;
};

export type CoordinatorParts = {
  readonly time: Time;
  readonly network: Network;
  readonly random: Random;
  readonly story: Story;
  readonly storage: Storage;
  readonly builds: Builds;
  readonly timings: Timings;
  readonly rate: number;
  readonly watch: CoordinatorWatch;
  /** Who decides where there are several; absent where there is but one. */
  readonly seat?: SeatLock;
  readonly name?: string;
  /** What the services are made with besides. */
  readonly services: Partial<Pick<Parts, "webhooks" | "retention" | "streamsPerToken">>;
};

type Process = {
  alive: boolean;
  /** The one that is cut off when the process dies. */
  readonly store: Store;
  readonly inner: Store;
  readonly replica: Pick<Replica, "current" | "hasSeat" | "tick">;
};

export type HttpAnswer = { readonly status: number; readonly text: string };

const TICK_MS = 1_000;
export const OPERATOR: Principal = {
  kind: "operator",
  id: "o-1",
  name: "ada",
  role: "admin",
  from: "127.0.0.1",
};

export class CoordinatorMachine {
  readonly clock: MachineClock;
  /** How many of its writes have become durable. */
  writes = 0;
  /** How much longer than usual its disk takes. */
  slowness = 1;
  readonly #parts: CoordinatorParts;
  readonly #sockets = new Set<ServerEnd>();
  readonly #calls = new Set<() => void>();
  #process: Process | null = null;
  #starting: { readonly self: { alive: boolean }; readonly inner: Store } | null = null;
  #restores = 0;
  /** A backup was put in place, and no process has run on it yet. */
  #isOnBackup = false;

  constructor(parts: CoordinatorParts) {
    this.#parts = parts;
    this.clock = new MachineClock(parts.time, parts.rate);
  }

  /** It runs, and decides. */
  get isUp(): boolean {
    return this.#process?.replica.hasSeat() === true;
  }

  get wasRestored(): boolean {
    return this.#restores > 0;
  }

  /** It runs, or is about to. */
  get isBegun(): boolean {
    return this.#process !== null || this.#starting !== null;
  }

  /** What operators call; null while it is down. */
  get services(): Coordinator | null {
    return this.#process?.replica.current() ?? null;
  }

  /** What is stored, without any delay; for who only looks. */
  get stored(): Store | null {
    return this.#process?.inner ?? null;
  }

  /** The last backup takes the place of what was stored; whoever starts next begins on it. Nothing without a backup. */
  async restore(): Promise<void> {
    await this.crash();
    if (await this.#parts.storage.restore()) this.#isOnBackup = true;
  }

  async start(): Promise<void> {
    if (this.isBegun) return;
    const restored = this.#isOnBackup;
    if (restored) this.#parts.watch.count("coordinator: restored");
    this.#isOnBackup = false;
    const { time, storage, random, story, timings, builds, watch } = this.#parts;
    const inner = await storage.open(() => this.clock.now());
    if (restored) {
      this.#restores += 1;
      await markRestored(inner, this.clock.now(), 1 + this.#restores);
    }
    if (this.#parts.seat === undefined) await watch.began(inner, restored);
    const self = { alive: true };
    const store = storeOfProcess(inner, {
      time,
      clock: this.clock,
      random,
      isAlive: () => self.alive,
      slowness: () => this.slowness,
      isReal: storage.kind === "sqlite",
      written: (changes) => {
        this.writes += 1;
        watch.written(changes, inner);
      },
    });
    this.#starting = { self, inner };
    const shelf = new Shelf();
    const creating = this.#create({
      ...this.#parts.services,
      store,
      repository: Object.assign(shelf, {
        releases: () => ({
          releases: builds.releases,
          targetsVersion: builds.releases.length,
          expiresAt: null,
        }),
      }),
      clock: this.clock,
      random: (bytes) => random.bytes(bytes),
      log: this.#log(),
      timings,
    });
    creating.then(
      (replica) => {
        if (!self.alive) return;
        this.#starting = null;
        this.#process = Object.assign(self, { store, inner, replica });
        story.tell(this.name, restored ? "runs, on the last backup" : "runs");
        this.#tick(this.#process);
      },
      (cause: unknown) => watch.wentWrong("the coordinator could not be started", { cause }),
    );
  }

  /** Ends the process wherever it stands. What it had asked of its store may have been done. */
  async crash(): Promise<void> {
    const ending = this.#process ?? this.#starting?.self ?? null;
    const inner = this.#process?.inner ?? this.#starting?.inner ?? null;
    if (ending === null || inner === null || !ending.alive) return;
    const hadSeat = this.isUp;
    ending.alive = false;
    this.#process = null;
    this.#starting = null;
    if (this.#parts.seat === undefined || hadSeat) this.#parts.watch.ended();
    this.#parts.story.tell(this.name, "crashes");
    this.#hangUp();
    await this.#parts.seat?.release();
    await inner.close();
  }

  /** A coordinator by itself, or one of several. */
  async #create(parts: Parts): Promise<Process["replica"]> {
    const { seat, story, watch } = this.#parts;
    if (seat !== undefined)
      return createReplica(parts, seat, {
        changed: (hasSeat) => {
          story.tell(this.name, hasSeat ? "takes the seat" : "has lost the seat");
          // That nothing was restored is known without waiting.
          if (hasSeat)
            watch.began(parts.store, false).catch((cause: unknown) => watch.wentWrong("began", { cause }));
          else this.#hangUp();
        },
      });
    const alone = await createCoordinator(parts);
    return { current: () => alone, hasSeat: () => true, tick: () => alone.tick() };
  }

  /** Every connection breaks. */
  #hangUp(): void {
    for (const socket of this.#sockets) socket.reset();
    for (const fail of this.#calls) fail();
    this.#sockets.clear();
    this.#calls.clear();
  }

  get name(): string {
    return this.#parts.name ?? "coordinator";
  }

  #tick(process: Process): void {
    const { watch } = this.#parts;
    const round = (): void => {
      if (!process.alive) return;
      process.replica
        .tick()
        .catch((cause: unknown) => {
          if (process.alive) watch.wentWrong("a tick of the engine failed", { cause });
        })
        .finally(() => this.clock.after(TICK_MS, round));
    };
    round();
  }

  /** A frame that came over a socket. */
  async take(nodeId: NodeId, text: string): Promise<readonly CoordinatorFrame[] | "malformed"> {
    const frame = readAgentFrame(text);
    if (!frame.ok) return "malformed";
    return this.#receive(nodeId, [frame.value]);
  }

  async #receive(nodeId: NodeId, frames: readonly AgentFrame[]): Promise<readonly CoordinatorFrame[]> {
    const { services } = this;
    if (services === null) return new Promise(() => undefined);
    this.#parts.watch.receiving(nodeId, frames);
    const answers = await services.sessions.receive(nodeId, frames, "10.0.0.1").catch((cause: unknown) => {
      // The seat was lost meanwhile, and the connection broken with it.
      if (cause instanceof NotInSeat) return new Promise<never>(() => undefined);
      throw cause;
    });
    this.#parts.watch.received(nodeId, answers);
    return answers;
  }

  open(socket: ServerEnd): void {
    this.#sockets.add(socket);
  }

  closed(socket: ServerEnd): void {
    this.#sockets.delete(socket);
  }

  authenticate(credential: string): Promise<Principal | null> {
    return this.services?.access.authenticate(credential, "10.0.0.1") ?? Promise.resolve(null);
  }

  /** One HTTP request of a node; null when the connection broke before there was an answer. */
  async call(credential: string, path: string, body: string): Promise<HttpAnswer | null> {
    const cut = Promise.withResolvers<null>();
    const fail = () => cut.resolve(null);
    this.#calls.add(fail);
    try {
      return await Promise.race([this.#serve(credential, path, body), cut.promise]);
    } finally {
      this.#calls.delete(fail);
    }
  }

  async #serve(credential: string, path: string, body: string): Promise<HttpAnswer> {
    const { services } = this;
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

  #log(): Log {
    const { watch, story } = this.#parts;
    return {
      debug: () => undefined,
      info: (fields, message) => {
        if (message !== "lease refused" || !("code" in fields)) return;
        const { nodeId, code, reason } = fields as { nodeId?: string; code?: string; reason?: string };
        watch.count(`refused: ${code}`);
        if (story.isTold) story.tell("coordinator", `refuses ${nodeId}: ${code}: ${reason}`);
      },
      warn: () => undefined,
      error: (fields, message) => watch.wentWrong(message, fields),
    };
  }
}

function answerOf(result: Result<unknown, Refusal>): HttpAnswer {
  if (result.ok) return { status: 200, text: JSON.stringify(result.value) };
  const problem = problemOf(result.error);
  return { status: problem.status, text: JSON.stringify(problem) };
}
