/**
 * One WebSocket of one agent.
 *
 * Invariants: frames are taken one after the other, in their order; a frame that does not fit the schema closes
 * the connection (4002) and nothing of it counts; what is waiting to be taken, and what is waiting to be read by
 * the agent, is bounded; a peer that answers no ping is gone. The session itself outlives the connection: that is
 * the coordinator's affair, not the socket's.
 */
import type { WebSocket } from "ws";
import { AgentFrame, CLOSE, type CoordinatorFrame } from "../../protocol/frames.ts";
import { parseJson } from "../../protocol/parse.ts";
import type { DurationMs } from "../../protocol/time.ts";
import type { Sessions } from "../service/coordinator.ts";
import type { LiveLog } from "./log.ts";
import { numberIn, type Words, wordsOf } from "./same-words.ts";
import type { NodePrincipal } from "./upgrade.ts";

export type ConnectionLimits = {
  /** Between two looks: a peer that said nothing since the last one is pinged, and gone if it has not answered by the next. */
  readonly pingMs: DurationMs;
  /** How long a connection may stay open without a hello. */
  readonly helloMs: DurationMs;
  /** Frames that may wait to be taken before reading pauses. */
  readonly maxWaiting: number;
  /** Bytes that may wait to be read by the agent before it counts as too slow. */
  readonly maxUnreadBytes: number;
  /** How long a closing handshake may take before the connection is cut. */
  readonly closeMs: DurationMs;
};

export const CONNECTION_LIMITS: ConnectionLimits = {
  pingMs: 10_000,
  helloMs: 10_000,
  maxWaiting: 32,
  maxUnreadBytes: 1_048_576,
  closeMs: 2_000,
};

export type Connection = {
  /** Says goodbye with a close code; the connection is cut when the agent does not answer. */
  close(code: number, reason: string): void;
  readonly closed: Promise<void>;
};

/** Serves an open WebSocket until it closes. */
export function serveConnection(
  socket: WebSocket,
  node: NodePrincipal & { readonly requestId?: string },
  sessions: Sessions,
  log: LiveLog,
  limits: ConnectionLimits = CONNECTION_LIMITS,
): Connection {
  const { nodeId, from, requestId } = node;
  const fields = { nodeId, from, ...(requestId === undefined ? {} : { requestId }) };
  const gone = Promise.withResolvers<void>();
  let detach: (() => void) | null = null;
  let waiting = 0;
  let alive = true;
  let heard = false;
  let lastWords: Words | null = null;
  let taken: Promise<void> = Promise.resolve();
  let cutting: NodeJS.Timeout | undefined;

  const close = (code: number, reason: string): void => {
    if (socket.readyState === socket.CLOSED || cutting !== undefined) return;
    log.info({ ...fields, code, reason }, "session closed by coordinator");
    socket.close(code, reason);
    cutting = setTimeout(() => socket.terminate(), limits.closeMs);
  };

  const send = (frame: CoordinatorFrame): void => sendText(JSON.stringify(frame));

  const sendText = (text: string): void => {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > limits.maxUnreadBytes) {
      log.warn({ ...fields, unreadBytes: socket.bufferedAmount }, "agent reads too slowly, session cut");
      socket.terminate();
      return;
    }
    socket.send(text);
  };

  const attach = (): void => {
    detach = sessions.attach(node.nodeId, {
      send,
      superseded: () => close(CLOSE.superseded, "another process of this node said hello"),
      revoked: () => close(CLOSE.revoked, "the node's credential was revoked"),
    });
  };

  const take = async (text: string): Promise<void> => {
    if (socket.readyState !== socket.OPEN) return;
    const frame = parseJson(AgentFrame, text, "The frame");
    if (!frame.ok) {
      log.warn({ ...fields, ...frame.error }, "malformed frame");
      close(CLOSE.malformed, frame.error.message.slice(0, 120));
      return;
    }
    const answers = await sessions.receive(node.nodeId, [frame.value], node.from);
    if (frame.value.type === "heartbeat") lastWords = wordsOf(text, frame.value);
    for (const answer of answers) send(answer);
    // From its welcome on the node is spoken to unasked, and an earlier connection of it is not. Who is not welcomed
    // has said no hello.
    if (
      answers.some((answer) => answer.type === "welcome") &&
      detach === null &&
      socket.readyState === socket.OPEN
    ) {
      clearTimeout(helloTimer);
      attach();
    }
  };

  /** Whether it was the last heartbeat once more, and is answered. */
  const takeAgain = (text: string): boolean => {
    const seq = lastWords === null ? null : numberIn(text, lastWords);
    if (lastWords === null || seq === null) return false;
    const orders = sessions.again(node.nodeId, lastWords.frame, seq, node.from);
    if (orders !== null) sendText(orders);
    return orders !== null;
  };

  socket.on("message", (data: Buffer, isBinary: boolean) => {
    heard = true;
    if (isBinary) {
      log.warn(fields, "malformed frame: it is binary");
      close(CLOSE.malformed, "frames are JSON text");
      return;
    }
    const text = data.toString("utf8");
    if (waiting === 0 && takeAgain(text)) return;
    waiting += 1;
    if (waiting >= limits.maxWaiting) socket.pause();
    taken = taken
      .then(() => take(text))
      .catch((error: unknown) => {
        log.error({ ...fields, err: error }, "unforeseen error while taking a frame");
        close(INTERNAL_ERROR, "something went wrong inside the coordinator");
      })
      .finally(() => {
        waiting -= 1;
        if (waiting < limits.maxWaiting / 2 && socket.isPaused) socket.resume();
      });
  });
  socket.on("pong", () => {
    alive = true;
  });
  // What breaks WebSocket itself (too large, not UTF-8, bad opcodes): ws closes with the right code by itself.
  socket.on("error", (error: Error & { code?: string }) => {
    log.warn({ ...fields, code: error.code, reason: error.message }, "malformed frame");
  });
  const helloTimer = setTimeout(() => close(CLOSE.policy, "no hello"), limits.helloMs);
  const pingTimer = setInterval(() => {
    if (!alive && !heard) {
      log.info(fields, "agent answers no ping, session cut");
      socket.terminate();
      return;
    }
    // Who speaks lives.
    if (heard) {
      heard = false;
      alive = true;
      return;
    }
    alive = false;
    socket.ping();
  }, limits.pingMs);
  socket.on("close", (code: number) => {
    clearTimeout(helloTimer);
    clearInterval(pingTimer);
    clearTimeout(cutting);
    detach?.();
    log.debug({ ...fields, code }, "session's connection closed");
    // What was taken in before the close is still stored before the connection counts as closed.
    taken.finally(gone.resolve).catch(gone.reject);
  });
  log.debug(fields, "session's connection opened");
  return { close, closed: gone.promise };
}

/** RFC 6455 7.4.1. */
const INTERNAL_ERROR = 1011;
