import type { CoordinatorFrame, Orders, Welcome } from "../../protocol/frames.ts";
import type { LogLine } from "../../protocol/job.ts";
import type { JobId, SessionId } from "../../protocol/names.ts";
import type { Clock, DurationMs, UptimeMs } from "../../protocol/time.ts";
import type { Log } from "../effects/log.ts";
import type { Scheduler } from "../effects/scheduler.ts";
import {
  type Conversation,
  type DiagnosisParts,
  greeting,
  type HeartbeatParts,
  type HelloParts,
  hear,
  helloFrame,
  sayDiagnosis,
  sayHeartbeat,
  sayLog,
  urgentPart,
} from "./conversation.ts";
import { type Cursors, cursorsAfter, cursorsSent, fitIntoFrame, MAX_LOG_LINES } from "./log-cursors.ts";
import type { Transport, TransportFault } from "./transport.ts";

/** What a session tells of, asked whenever something is about to be said. */
export type SessionSource = {
  hello(): HelloParts;
  heartbeat(): HeartbeatParts;
  /** How the diagnosis of this job ended; null while it has not. */
  diagnosis(jobId: JobId): DiagnosisParts | null;
  /** Lines of a job's durable log from `from` on, in order, at most `limit`; none when there is no such log. */
  logLines(jobId: JobId, from: number, limit: number): Promise<readonly LogLine[]>;
};

export type TalkEvents = {
  welcomed(welcome: Welcome): void;
  orders(orders: Orders): void;
  /** The session is not known, or not in this protocol; hello was said again on the same transport. */
  lost(): void;
  ended(fault: TransportFault): void;
};

/** One transport's worth of talk, from hello to its end. */
export type Talk = {
  heard(): void;
  frame(frame: CoordinatorFrame): void;
  /** What the agent says of itself may have changed; says so at once if it cannot wait. */
  changed(): void;
  /** A job's log grew. */
  logged(): void;
  /** Says a heartbeat now, to be answered by orders. */
  ask(): void;
  stop(): void;
};

const WELCOME_WITHIN_MS = 10_000;
const SILENT_AFTER_HEARTBEATS = 3;
/** Short heartbeats must not make a busy machine look silent. */
const SILENT_AFTER_AT_LEAST_MS = 2_000;
/** Progress is told at most so often between heartbeats. */
const PROGRESS_EVERY_MS = 1_000;
const LOG_DELAY_MS = 200;
/**
 * Where a hello came twice, two sessions take turns in ending each other, and each refusal brings the next hello, for
 * ever: one that follows so soon waits, and is not answered if orders show meanwhile that the session holds.
 */
const HELLO_AGAIN_AFTER_MS = 1_000;

export type TalkParts = {
  readonly source: SessionSource;
  readonly events: TalkEvents;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly log: Log;
};

/** Says hello and goes on talking until the transport ends or `stop`. */
export function startTalk(transport: Transport, { source, events, clock, scheduler, log }: TalkParts): Talk {
  let conversation: Conversation = greeting;
  let cursors: Cursors = new Map();
  /** What the last heartbeat said: what would have been urgent of it, and all of it. */
  let lastSaid: { readonly urgent: string; readonly all: string } | null = null;
  /** What the orders ask for, and whether its end was said since the last heartbeat. */
  let diagnosis: { readonly jobId: JobId; readonly said: boolean } | null = null;
  let lastHeard: UptimeMs = clock.uptime();
  let greetedAt: UptimeMs = clock.uptime();
  let over = false;
  const timers = createTimers(scheduler);

  const end = (fault: TransportFault) => {
    if (over) return;
    over = true;
    timers.clear();
    transport.close();
    events.ended(fault);
  };

  const sayHello = () => {
    timers.clear();
    if (conversation.kind !== "greeting") conversation = greeting;
    greetedAt = clock.uptime();
    cursors = new Map();
    lastSaid = null;
    diagnosis = null;
    timers.set("welcome", WELCOME_WITHIN_MS, () =>
      end({ code: "silent", message: `${transport.server} did not welcome within ${WELCOME_WITHIN_MS} ms.` }),
    );
    transport.send([helloFrame(conversation, source.hello())]);
  };

  const heartbeat = () => {
    if (over || conversation.kind !== "open") return;
    const parts = source.heartbeat();
    const { next, frame } = sayHeartbeat(conversation, parts);
    conversation = next;
    lastSaid = { urgent: urgentPart(parts), all: JSON.stringify(parts) };
    transport.send([frame]);
    // What orders went on asking for after it was said was lost.
    if (diagnosis !== null) diagnosis = { ...diagnosis, said: false };
  };

  /** After the lines of its log, so that nobody reads the end of a job and misses some. */
  const sayHowDiagnosisEnded = (ended: DiagnosisParts | null) => {
    if (ended === null || diagnosis?.jobId !== ended.jobId || diagnosis.said) return;
    if (over || conversation.kind !== "open") return;
    const { next, frame } = sayDiagnosis(conversation, ended);
    conversation = next;
    diagnosis = { ...diagnosis, said: true };
    transport.send([frame]);
  };

  const regularly = (everyMs: DurationMs) => {
    timers.set("heartbeat", everyMs, () => {
      const silentMs = clock.uptime() - lastHeard;
      if (silentMs > Math.max(SILENT_AFTER_HEARTBEATS * everyMs, SILENT_AFTER_AT_LEAST_MS)) {
        end({ code: "silent", message: `${transport.server} was not heard for ${silentMs} ms.` });
        return;
      }
      if (silentMs > everyMs) transport.probe();
      heartbeat();
      regularly(everyMs);
    });
  };

  let sendingLogs = false;
  /** There was a reason to look while it was being sent. */
  let sendAgain = false;
  /** How often there were new lines: what is read while some come may be without them. */
  let grown = 0;
  /** Jobs whose log was read to its end, and where that was: not read again before it grows. */
  const readTo = new Map<JobId, number>();
  const sendLogs = async () => {
    if (sendingLogs) {
      sendAgain = true;
      return;
    }
    sendingLogs = true;
    sendAgain = false;
    try {
      // One that ends from here on may have lines that are not read below: it is told of when they have been.
      const ended = diagnosis === null ? null : source.diagnosis(diagnosis.jobId);
      for (const jobId of cursors.keys()) await sendLogOf(jobId);
      sayHowDiagnosisEnded(ended);
    } finally {
      sendingLogs = false;
      if (sendAgain && !over) logsSoon(0);
    }
  };

  const sendLogOf = async (jobId: JobId) => {
    for (;;) {
      const cursor = cursors.get(jobId);
      const session = sessionOf(conversation);
      if (cursor === undefined || session === null || over || readTo.get(jobId) === cursor.sent) return;
      const before = grown;
      const lines = fitIntoFrame(await source.logLines(jobId, cursor.sent, MAX_LOG_LINES));
      if (lines.length === 0 && grown === before) readTo.set(jobId, cursor.sent);
      if (lines.length === 0 || over || conversation.kind !== "open" || conversation.session !== session)
        return;
      const { next, frame } = sayLog(conversation, jobId, lines);
      conversation = next;
      cursors = cursorsSent(cursors, jobId, lines);
      transport.send([frame]);
    }
  };
  const logsSoon = (delayMs: DurationMs) =>
    timers.setUnlessSet("logs", delayMs, () => {
      sendLogs().catch((cause: unknown) => log.warn({ cause }, "a job's log could not be read for sending"));
    });

  const wantDiagnosis = (jobId: JobId | null) => {
    if (jobId === null) diagnosis = null;
    else if (diagnosis?.jobId !== jobId) diagnosis = { jobId, said: false };
  };

  const helloAgain = () => {
    events.lost();
    sayHello();
  };

  /** For how long a refused session waits until hello is said again. */
  const helloWaitsMs = (frame: CoordinatorFrame): DurationMs => {
    if (conversation.kind !== "open" || frame.type !== "refused" || frame.code !== "unknown-session")
      return 0;
    return greetedAt + Math.min(HELLO_AGAIN_AFTER_MS, conversation.heartbeatMs) - clock.uptime();
  };

  const hearFrame = (frame: CoordinatorFrame) => {
    const waitMs = helloWaitsMs(frame);
    if (waitMs > 0) return timers.setUnlessSet("hello", waitMs, helloAgain);
    const result = hear(conversation, frame);
    conversation = result.conversation;
    const { heard } = result;
    switch (heard.kind) {
      case "opened":
        timers.clear();
        events.welcomed(heard.welcome);
        heartbeat();
        regularly(heard.welcome.heartbeatMs);
        return;
      case "orders":
        timers.cancel("hello");
        cursors = cursorsAfter(cursors, heard.orders.logNext, source.heartbeat().update.jobId);
        wantDiagnosis(heard.orders.diagnose?.jobId ?? null);
        events.orders(heard.orders);
        logsSoon(0);
        return;
      case "hello-again":
        return helloAgain();
      case "refused":
        if (heard.refused.code === "stale-seq")
          log.debug({ refused: heard.refused }, "a late frame was refused");
        else end({ code: "malformed", message: `${transport.server} refused: ${heard.refused.message}` });
        return;
      case "ignored":
        log.debug({ frame: frame.type, why: heard.why }, "a frame was ignored");
        return;
    }
  };

  sayHello();
  return {
    heard: () => {
      lastHeard = clock.uptime();
    },
    frame: (frame) => {
      if (!over) hearFrame(frame);
    },
    changed: () => {
      if (over || conversation.kind !== "open") return;
      const parts = source.heartbeat();
      if (urgentPart(parts) !== lastSaid?.urgent) timers.setUnlessSet("urgent", 0, heartbeat);
      // Orders are news too, and answer each heartbeat: without this one would bring the next, for ever.
      else if (JSON.stringify(parts) !== lastSaid.all)
        timers.setUnlessSet("progress", PROGRESS_EVERY_MS, heartbeat);
    },
    logged: () => {
      grown += 1;
      readTo.clear();
      if (!over && conversation.kind === "open") logsSoon(LOG_DELAY_MS);
    },
    ask: heartbeat,
    stop: () => {
      if (over) return;
      over = true;
      timers.clear();
      transport.close();
    },
  };
}

const sessionOf = (conversation: Conversation): SessionId | null =>
  conversation.kind === "open" ? conversation.session : null;

/** Timers by name, so that none is forgotten. */
function createTimers(scheduler: Scheduler) {
  const running = new Map<string, () => void>();
  const set = (name: string, afterMs: DurationMs, run: () => void) => {
    running.get(name)?.();
    const cancel = scheduler.after(afterMs, () => {
      running.delete(name);
      run();
    });
    running.set(name, cancel);
  };
  return {
    set,
    setUnlessSet: (name: string, afterMs: DurationMs, run: () => void) => {
      if (!running.has(name)) set(name, afterMs, run);
    },
    cancel: (name: string) => {
      running.get(name)?.();
      running.delete(name);
    },
    clear: () => {
      for (const cancel of running.values()) cancel();
      running.clear();
    },
  };
}
