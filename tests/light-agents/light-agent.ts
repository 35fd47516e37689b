/**
 * An agent without a disk and a workload: what a node looks like from the coordinator's side, over one real WebSocket
 * and the real requests for the lease. It keeps its own account of all that was acknowledged, and can be made to
 * misbehave: to be cut off, to stop reading, to vanish without a word, and to flood.
 */
import { randomUUID } from "node:crypto";
import type { Dispatcher } from "undici";
import WebSocket from "ws";
import type { JoinReply } from "../../protocol/access.ts";
import type { Build } from "../../protocol/build.ts";
import {
  type CoordinatorFrame,
  type Desired,
  type Heartbeat,
  type Hello,
  type Orders,
  PROTOCOL,
  SUBPROTOCOL,
  type Welcome,
} from "../../protocol/frames.ts";
import type { FinalWord, JournalReport } from "../../protocol/journal.ts";
import type { CommitReply, ReserveReply } from "../../protocol/lease.ts";
import { IDLE_UPDATE } from "../harness/idle-update.ts";
import type { Diary, Noted } from "./diary.ts";
import type { GroupWatch } from "./group-watch.ts";
import { JobLogs } from "./job-logs.ts";
import type { AgentRecord } from "./record.ts";

export type AgentWorld = {
  readonly url: string;
  readonly dispatcher: Dispatcher;
  readonly watch: GroupWatch | null;
  /** Where it writes down what it does, before it does it. */
  readonly diary: Diary | null;
  /** Longest that it waits before it fetches. */
  readonly fetchMs: number;
  /** Between the end of its process and the next one's start, at least and at most. */
  readonly restartMs: readonly [number, number];
  /** From where on loopback it connects: one address has some 28,000 ports. */
  readonly from?: string;
  /** The random wait before it connects again: at most the first, then twice as much, and never more than the last. */
  readonly reconnectMs: readonly [number, number];
  /** How long a coordinator that answers nothing is waited for at least. A machine that is too busy is not gone. */
  readonly patienceMs: number;
  /** Between a heartbeat and the next frame of the coordinator, milliseconds. */
  readonly answeredIn: (ms: number) => void;
};

/** Draining and the flip, as it asks for them; it gives up acting this long before the time is over. */
const NEED_MS = 12_000;
const MARGIN_MS = 2_000;
const NO_HOLDINGS = { backup: null, hold: false, quarantine: [] };
/** As the real agent waits for the answer to a request. */
const LEASE_TIMEOUT_MS = 10_000;
/** As the real agent takes the coordinator for gone: after so many heartbeats without an answer. */
const SILENT_AFTER = { heartbeats: 3 };
const UNEXPECTED_CLOSES = new Set([1002, 1003, 1007, 1009, 1011, 4002, 4003]);

export class LightAgent {
  readonly record: AgentRecord;
  readonly logs: JobLogs;
  reconnects = 0;
  readonly #world: AgentWorld;
  readonly #who: JoinReply;
  #build: Build;
  #instanceId: string = randomUUID();
  #socket: WebSocket | null = null;
  #session = "";
  #seq = 0;
  #heartbeatMs = 5_000;
  #journal: JournalReport = { kind: "idle" };
  #finalWords: FinalWord[] = [];
  #job: { readonly desired: Desired; prepared: boolean } | null = null;
  #takingTurn = false;
  #attempts = 0;
  #saidAt: number | null = null;
  #heardAt = 0;
  #ended = false;
  #isRestarting = false;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #ghosts: WebSocket[] = [];

  constructor(world: AgentWorld, who: JoinReply, build: Build) {
    this.#world = world;
    this.#who = who;
    this.#build = build;
    this.record = {
      nodeId: who.nodeId,
      name: who.name,
      group: who.group,
      jobs: {},
      leases: [],
      complaints: [],
    };
    this.logs = new JobLogs(this.record);
  }

  start(): void {
    this.#connect();
  }

  get isOnline(): boolean {
    return this.#session !== "" && this.#socket?.readyState === WebSocket.OPEN;
  }

  get isIdle(): boolean {
    return this.#journal.kind === "idle" && this.#finalWords.length === 0 && !this.#takingTurn;
  }

  get version(): string {
    return this.#build.version;
  }

  /** Cut off, and back at once, as everybody else at that moment. */
  cut(): void {
    if (this.#socket === null) return;
    this.#socket.terminate();
    this.#attempts = 0;
    this.#hasLost(0);
  }

  /** Reads no more of what it is told, and goes on speaking `perSecond` times. Lasts until the coordinator cuts it off. */
  stall(perSecond: number): void {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return;
    socket.pause();
    const speak = (): void => {
      if (socket !== this.#socket || !socket.isPaused) return;
      this.#beat();
      this.#after(1000 / perSecond, speak);
    };
    speak();
  }

  unstall(): void {
    this.#socket?.resume();
  }

  /** Its machine is gone for the coordinator, which is told nothing; another connection comes from a new one. */
  vanish(): void {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return;
    socket.pause();
    this.#ghosts.push(socket);
    this.#hasLost(0);
  }

  /** What was left half open is let go of. */
  bury(): void {
    for (const ghost of this.#ghosts.splice(0)) ghost.terminate();
  }

  flood(lines: number, padding: number): void {
    this.logs.flood(lines, padding);
    this.#sendLogs();
  }

  end(): void {
    this.#ended = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.bury();
    this.#socket?.terminate();
  }

  #connect(): void {
    if (this.#ended || this.#isRestarting || this.#socket !== null) return;
    const headers = { authorization: `Bearer ${this.#who.credential}` };
    const socket = new WebSocket(`${this.#world.url.replace("http", "ws")}/v1/session`, SUBPROTOCOL, {
      headers,
      perMessageDeflate: false,
      handshakeTimeout: 30_000,
      ...(this.#world.from === undefined ? {} : { localAddress: this.#world.from }),
    });
    this.#socket = socket;
    socket.on("open", () => {
      if (socket === this.#socket) this.#hello();
    });
    socket.on("message", (data: Buffer) => {
      if (socket === this.#socket) this.#take(JSON.parse(data.toString()) as CoordinatorFrame);
    });
    // What ends in an error closes as well, and is seen there.
    socket.on("error", () => this.#world.answeredIn(Number.NaN));
    socket.on("close", (code: number) => {
      if (UNEXPECTED_CLOSES.has(code)) this.record.complaints.push(`its session was closed with ${code}`);
      if (socket === this.#socket) this.#hasLost(this.#backoffMs());
    });
  }

  /** Full jitter, as the real agent has it. */
  #backoffMs(): number {
    const [first, last] = this.#world.reconnectMs;
    const most = Math.min(last, first * 2 ** this.#attempts);
    this.#attempts += 1;
    return Math.random() * most;
  }

  #hasLost(waitMs: number): void {
    this.#socket = null;
    this.#session = "";
    this.#saidAt = null;
    this.reconnects += 1;
    this.#after(waitMs, () => this.#connect());
  }

  #hello(): void {
    this.#heardAt = performance.now();
    const hello: Hello = {
      type: "hello",
      protocol: PROTOCOL,
      instanceId: this.#instanceId,
      build: this.#build,
      platform: "linux-x64",
      runtime: process.versions.node,
      canHandOver: false,
      journal: this.#journal,
      finalWords: this.#finalWords,
      holdings: NO_HOLDINGS,
    };
    this.#socket?.send(JSON.stringify(hello));
  }

  #take(frame: CoordinatorFrame): void {
    this.#heardAt = performance.now();
    if (this.#saidAt !== null) this.#world.answeredIn(this.#heardAt - this.#saidAt);
    this.#saidAt = null;
    if (frame.type === "orders") this.#follow(frame);
    else if (frame.type === "welcome") this.#begin(frame);
    else if (frame.code === "unknown-session") this.#hello();
    else this.record.complaints.push(`a frame was refused: ${frame.code}: ${frame.message}`);
  }

  /** It serves: what it ran before, or the new build. */
  #begin(frame: Welcome): void {
    this.#session = frame.session;
    this.#seq = 0;
    this.#attempts = 0;
    this.#heartbeatMs = frame.heartbeatMs;
    this.logs.newSession();
    this.#world.watch?.up(this.#who.group, this.#who.name);
    if (this.#journal.kind === "swapping") this.#note("serves", this.#journal.token);
    this.#beat();
    this.#keepBeating(frame.session);
  }

  #keepBeating(session: string): void {
    this.#after(this.#heartbeatMs, () => {
      if (session !== this.#session) return;
      // The coordinator answers every heartbeat; one that answers none is gone.
      const silentMs = Math.max(this.#world.patienceMs, SILENT_AFTER.heartbeats * this.#heartbeatMs);
      if (performance.now() - this.#heardAt > silentMs) {
        return this.#socket?.terminate();
      }
      this.#beat();
      this.#keepBeating(session);
    });
  }

  #beat(): void {
    if (this.#session === "") return;
    const job = this.#job;
    const state = job?.prepared === true ? "prepared" : "preparing";
    const heartbeat: Heartbeat = {
      type: "heartbeat",
      session: this.#session,
      seq: this.#nextSeq(),
      instanceId: this.#instanceId,
      health: { healthy: true, caughtUp: true },
      journal: this.#journal,
      finalWords: this.#finalWords,
      update:
        job === null || this.#journal.kind !== "idle"
          ? IDLE_UPDATE
          : { ...IDLE_UPDATE, state, jobId: job.desired.jobId, build: job.desired.build },
      holdings: NO_HOLDINGS,
      crashes: 0,
    };
    this.#saidAt ??= performance.now();
    this.#socket?.send(JSON.stringify(heartbeat));
  }

  #nextSeq(): number {
    this.#seq += 1;
    return this.#seq;
  }

  #sendLogs(): void {
    if (this.#session === "") return;
    for (const { jobId, lines } of this.logs.toSend()) {
      const frame = { type: "log", session: this.#session, seq: this.#nextSeq(), jobId, lines };
      this.#socket?.send(JSON.stringify(frame));
    }
  }

  #follow(orders: Orders): void {
    if (orders.session !== this.#session) return;
    this.logs.acknowledge(orders.logNext);
    for (const token of orders.acknowledged) this.#isStored(token);
    if (this.#journal.kind === "confirmed" && this.#finalWords.length === 0) this.#journal = { kind: "idle" };
    const { confirm, desired, turn } = orders;
    if (
      this.#journal.kind === "swapping" &&
      confirm?.instanceId === this.#instanceId &&
      confirm.token === this.#journal.token
    ) {
      const { token, jobId } = this.#journal;
      this.#note("confirmed", token);
      this.#journal = { kind: "confirmed", token };
      this.#say({ token, jobId, word: "confirmed", reason: null });
    }
    if (this.#journal.kind === "idle" && !this.#takingTurn) {
      if (desired === null) this.#job = null;
      else if (this.#job?.desired.jobId !== desired.jobId) this.#prepare(desired);
      else if (this.#job.prepared && turn?.jobId === desired.jobId) void this.#takeTurn(desired);
    }
    this.#sendLogs();
  }

  /** A word on a token that is acknowledged is stored: its job has ended, and its lease is returned. */
  #isStored(token: number): void {
    const word = this.#finalWords.find((each) => each.token === token);
    if (word === undefined) return;
    this.#finalWords = this.#finalWords.filter((each) => each !== word);
    for (const lease of this.record.leases) if (lease.token === token) lease.settled = true;
    const job = this.record.jobs[word.jobId];
    if (job !== undefined && word.word === "confirmed") job.ended = true;
  }

  #say(word: FinalWord): void {
    this.#finalWords = [...this.#finalWords, word];
    this.#beat();
  }

  #prepare(desired: Desired): void {
    const job = { desired, prepared: false };
    this.#job = job;
    this.logs.write(desired.jobId, 4);
    const jitterMs = Math.min(desired.jitterMs, this.#world.fetchMs);
    this.#after(Math.random() * jitterMs, () => {
      if (this.#job !== job) return;
      this.logs.write(desired.jobId, 12);
      job.prepared = true;
      this.#sendLogs();
      this.#beat();
    });
  }

  async #takeTurn({ jobId, build: to }: Desired): Promise<void> {
    if (to === null) return;
    this.#takingTurn = true;
    try {
      const reserved = await this.#lease<ReserveReply>("reserve", { jobId, build: to });
      if (reserved === null) return;
      const { token } = reserved;
      this.#world.watch?.token(this.#who.group, token, this.#who.name, jobId);
      this.#note("granted", token);
      const lease = { token, jobId, committed: false, settled: false };
      this.record.leases.push(lease);
      this.#journal = { kind: "committing", token };
      const sentAt = performance.now();
      const leave = await this.#lease<CommitReply>("commit", { token, needMs: NEED_MS });
      lease.committed = leave !== null;
      if (leave === null || performance.now() - sentAt > leave.actWithinMs - MARGIN_MS) {
        this.#journal = { kind: "idle" };
        return this.#say({ token, jobId, word: "not-acted", reason: null });
      }
      this.#restart(token, jobId, to);
    } finally {
      this.#takingTurn = false;
    }
  }

  /** The process ends, and another one comes up that runs the new build. */
  #restart(token: number, jobId: string, to: Build): void {
    this.#note("acts", token);
    this.#world.watch?.down(this.#who.group, this.#who.name);
    this.logs.write(jobId, 3);
    this.#sendLogs();
    const socket = this.#socket;
    this.#isRestarting = true;
    this.#saidAt = null;
    this.#socket = null;
    this.#session = "";
    this.#journal = { kind: "swapping", token, jobId, from: this.#build, to };
    this.#job = null;
    socket?.close(1000);
    const [least, most] = this.#world.restartMs;
    this.#after(least + Math.random() * (most - least), () => {
      this.#isRestarting = false;
      this.#build = to;
      this.#instanceId = randomUUID();
      this.logs.write(jobId, 3);
      this.#connect();
    });
  }

  /** Null when it was denied, or when nobody knows. */
  async #lease<T>(action: string, body: object): Promise<T | null> {
    const path = `/v1/groups/${this.#who.group}/lease/${action}`;
    try {
      const answer = await this.#world.dispatcher.request({
        origin: this.#world.url,
        path,
        method: "POST",
        headers: { authorization: `Bearer ${this.#who.credential}`, "content-type": "application/json" },
        body: JSON.stringify({ session: this.#session, ...body }),
        headersTimeout: LEASE_TIMEOUT_MS,
        bodyTimeout: LEASE_TIMEOUT_MS,
      });
      const said = (await answer.body.json()) as T;
      if (answer.statusCode >= 500 && answer.statusCode !== 503) {
        this.record.complaints.push(`${path} was answered with ${answer.statusCode}`);
      }
      return answer.statusCode === 200 ? said : null;
    } catch {
      return null;
    }
  }

  #note(what: Noted["what"], token: number): void {
    const { name, group } = this.#who;
    this.#world.diary?.note({ what, token, name, group });
  }

  #after(ms: number, work: () => void): void {
    if (this.#ended) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
  }
}
