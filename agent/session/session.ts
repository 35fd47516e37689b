/**
 * Keeps one session with the coordinator going: by WebSocket, by HTTP, or (mode `auto`) by HTTP where a WebSocket
 * does not get through. Reconnects with full jitter for as long as it runs.
 */
import type { Orders, Welcome } from "../../protocol/frames.ts";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import type { Clock, DurationMs, EpochMs } from "../../protocol/time.ts";
import type { SessionEvents } from "../core/ports.ts";
import type { Log } from "../effects/log.ts";
import type { Scheduler } from "../effects/scheduler.ts";
import { backoffMs, type Reconnect } from "./backoff.ts";
import { type SessionSource, startTalk, type Talk } from "./talk.ts";
import type { OpenTransport, Transport, TransportFault } from "./transport.ts";

export type { SessionSource } from "./talk.ts";

export type SessionMode = "auto" | "websocket" | "http";

export type SessionParts = {
  readonly mode: SessionMode;
  readonly websocket: OpenTransport;
  readonly http: OpenTransport;
  readonly source: SessionSource;
  readonly events: SessionEvents & { welcomed(welcome: Welcome): void };
  readonly reconnect: Reconnect;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: () => number;
  readonly log: Log;
};

/** Where the session stands, for `agent status`. */
export type SessionStatus = {
  readonly connected: boolean;
  readonly transport: Transport["kind"] | null;
  readonly server: string | null;
  /** Wall clock at which it was opened or lost; null before the first of both. */
  readonly since: EpochMs | null;
  /** Why it is not connected. */
  readonly fault: Fault | null;
};

export type Session = {
  start(): void;
  changed(): void;
  logged(): void;
  /** Asks the coordinator now, connecting at once if need be; done when orders have come. */
  poll(timeoutMs: DurationMs): Promise<Result<void, Fault>>;
  status(): SessionStatus;
  stop(): Promise<void>;
};

/** In mode `auto`, how long to stay on HTTP before a WebSocket is tried again. */
const TRY_WEBSOCKET_EVERY_MS = 300_000;
/**
 * How long who is not let in waits, about, before it asks again. Somebody has to let it in, and asking often would only
 * be counted as guessing; `poll` asks at once.
 */
const LET_IN_EVERY_MS = 60_000;
/** A session that lasted so many heartbeats was a good one: the next reconnect begins with a short wait. */
const SETTLED_AFTER_HEARTBEATS = 3;

type Ended = { readonly fault: TransportFault; readonly settled: boolean };

export function createSession(parts: SessionParts): Session {
  const { clock, scheduler, log, reconnect } = parts;
  const stopping = new AbortController();
  const wake = createSignal(scheduler);
  const ordersCame = createSignal(scheduler);
  let talk: Talk | null = null;
  let endTalk: () => void = () => undefined;
  let running: Promise<void> | null = null;
  let status: SessionStatus = { connected: false, transport: null, server: null, since: null, fault: null };

  const keep = async () => {
    let attempt = 0;
    while (!stopping.signal.aborted) {
      const ended = await converse();
      if (stopping.signal.aborted) return;
      attempt = ended.settled ? 1 : attempt + 1;
      const isTurnedAway = ended.fault.code === "unauthorized";
      const waitMs = isTurnedAway
        ? Math.round(LET_IN_EVERY_MS * (0.5 + parts.random()))
        : backoffMs(attempt, reconnect, parts.random);
      const fields = { code: ended.fault.code, attempt, waitMs };
      if (attempt === 1 || ended.fault.code !== status.fault?.code) log.warn(fields, ended.fault.message);
      else log.debug(fields, ended.fault.message);
      status = { ...status, connected: false, transport: null, fault: ended.fault };
      await wake.wait(waitMs);
    }
  };

  const converse = async (): Promise<Ended> => {
    let finish: (ended: Ended) => void = () => undefined;
    const ended = new Promise<Ended>((resolve) => {
      finish = resolve;
    });
    const welcome: { value: Welcome | null; at: number } = { value: null, at: 0 };
    const lose = () => {
      if (welcome.value === null) return;
      welcome.value = null;
      status = { ...status, connected: false, since: clock.now() };
      parts.events.closed();
    };
    let over = false;
    const end = (fault: TransportFault) => {
      over = true;
      const lastedMs = clock.uptime() - welcome.at;
      const settled =
        welcome.value !== null && lastedMs >= SETTLED_AFTER_HEARTBEATS * welcome.value.heartbeatMs;
      talk?.stop();
      talk = null;
      lose();
      finish({ fault, settled });
    };
    const opened = await connect({
      heard: () => talk?.heard(),
      frame: (frame) => talk?.frame(frame),
      ended: end,
    });
    if (!opened.ok) return { fault: opened.error, settled: false };
    const transport = opened.value;
    if (stopping.signal.aborted) {
      transport.close();
      return { fault: STOPPED, settled: false };
    }
    // What ended while it was opened must not be talked to: its timers would end the session after it.
    if (over) return ended;
    endTalk = () => end(STOPPED);
    talk = startTalk(transport, {
      source: parts.source,
      clock,
      scheduler,
      log,
      events: {
        welcomed: (said) => {
          welcome.value = said;
          welcome.at = clock.uptime();
          status = {
            connected: true,
            transport: transport.kind,
            server: transport.server,
            since: clock.now(),
            fault: null,
          };
          log.info(
            { transport: transport.kind, server: transport.server, group: said.group },
            "session open",
          );
          parts.events.welcomed(said);
          parts.events.opened(said.session);
        },
        orders: (orders: Orders) => {
          parts.events.orders(orders);
          ordersCame.fire();
          if (isTimeForWebSocket(transport, welcome.at)) end(UPGRADE);
        },
        lost: lose,
        ended: end,
      },
    });
    return ended;
  };

  const isTimeForWebSocket = (transport: Transport, since: number): boolean => {
    if (parts.mode !== "auto" || transport.kind === "websocket") return false;
    if (clock.uptime() - since < TRY_WEBSOCKET_EVERY_MS) return false;
    // A new session drops what a reservation rests on: not in the middle of an update.
    return parts.source.heartbeat().update.state === "idle";
  };

  const connect = async (events: Parameters<OpenTransport>[0]) => {
    if (parts.mode === "http") return parts.http(events, stopping.signal);
    const socket = await parts.websocket(events, stopping.signal);
    if (socket.ok || parts.mode === "websocket" || socket.error.code !== "not-supported") return socket;
    if (stopping.signal.aborted) return socket;
    log.debug({ code: socket.error.code }, `${socket.error.message} Trying HTTP.`);
    return parts.http(events, stopping.signal);
  };

  return {
    start: () => {
      running ??= keep();
    },
    changed: () => talk?.changed(),
    logged: () => talk?.logged(),
    poll: async (timeoutMs) => {
      const answered = ordersCame.wait(timeoutMs);
      if (status.connected) talk?.ask();
      else wake.fire();
      if (await answered) return ok(undefined);
      return err(
        status.fault ?? {
          code: "timed-out",
          message: `The coordinator gave no orders within ${timeoutMs} ms.`,
        },
      );
    },
    status: () => status,
    stop: async () => {
      stopping.abort();
      endTalk();
      wake.fire();
      await running;
    },
  };
}

const STOPPED: TransportFault = { code: "unreachable", message: "The agent is stopping." };
const UPGRADE: TransportFault = {
  code: "not-supported",
  message: "The session by HTTP is left to try a WebSocket again.",
};

/** Something that can be waited for, for a limited time; true when it came. */
function createSignal(scheduler: Scheduler) {
  const waiting = new Set<(came: boolean) => void>();
  return {
    fire: () => {
      for (const resolve of waiting) resolve(true);
    },
    wait: (ms: DurationMs): Promise<boolean> =>
      new Promise((resolve) => {
        const settle = (came: boolean) => {
          cancel();
          waiting.delete(settle);
          resolve(came);
        };
        const cancel = scheduler.after(ms, () => settle(false));
        waiting.add(settle);
      }),
  };
}
