import { type AgentFrame, CoordinatorFrames, MAX_FRAME_BYTES } from "../../protocol/frames.ts";
import { parse } from "../../protocol/parse.ts";
import { ok } from "../../protocol/result.ts";
import type { Addresses } from "./addresses.ts";
import type { CallFailure, HttpClient } from "./http-client.ts";
import type { OpenTransport, TransportEvents, TransportFault } from "./transport.ts";

const POST_TIMEOUT_MS = 10_000;
const MAX_FRAMES = 32;
/** Room for what surrounds the frames. */
const MAX_BODY_BYTES = MAX_FRAME_BYTES - 1_024;

/**
 * The same frames by `POST /v1/heartbeat`, where a WebSocket does not get through. One request at a time, so that
 * `seq` rises at the coordinator too; a heartbeat that is overtaken by a newer one while it waits is dropped.
 * A request that fails ends nothing: the session lives on, and the next heartbeat tries again.
 */
export const openHttp =
  ({ http, addresses }: { http: HttpClient; addresses: Addresses }): OpenTransport =>
  async (events) => {
    const cancel = new AbortController();
    let waiting: AgentFrame[] = [];
    let busy = false;
    const pump = async () => {
      if (busy) return;
      busy = true;
      try {
        while (waiting.length > 0 && !cancel.signal.aborted) {
          const batch = takeBatch(waiting);
          waiting = waiting.slice(batch.length);
          await exchange(http, batch, events, cancel);
        }
      } finally {
        busy = false;
      }
    };
    return ok({
      kind: "http",
      server: addresses.current(),
      send: (frames) => {
        waiting = [...withoutOvertaken(waiting, frames), ...frames];
        void pump();
      },
      // Every request is answered, or fails.
      probe: () => undefined,
      close: () => cancel.abort(),
    });
  };

async function exchange(
  http: HttpClient,
  frames: readonly AgentFrame[],
  events: TransportEvents,
  cancel: AbortController,
): Promise<void> {
  const answer = await http.call({
    method: "POST",
    path: "/v1/heartbeat",
    body: { frames },
    timeoutMs: POST_TIMEOUT_MS,
    signal: cancel.signal,
  });
  if (cancel.signal.aborted) return;
  const end = (fault: TransportFault) => {
    cancel.abort();
    events.ended(fault);
  };
  if (!answer.ok) {
    const fault = faultOf(answer.error, frames);
    if (fault !== null) end(fault);
    return;
  }
  const parsed = parse(CoordinatorFrames, answer.value, "The coordinator's answer");
  if (!parsed.ok) return end({ code: "malformed", message: parsed.error.message });
  events.heard();
  for (const frame of parsed.value.frames) events.frame(frame);
}

/** What a failed request means for the transport; null when the next heartbeat may try again. */
function faultOf(failure: CallFailure, frames: readonly AgentFrame[]): TransportFault | null {
  const { message, hint, status } = failure;
  const words = { message, ...(hint === undefined ? {} : { hint }) };
  const isHello = frames.some(({ type }) => type === "hello");
  // Too many wrong credentials from this address: ours is not one of the right ones, which are never counted.
  if (status === 401 || status === 403 || (status === 429 && isHello))
    return { code: "unauthorized", ...words };
  if (failure.kind === "refused" && status !== 429 && status !== 408) return { code: "malformed", ...words };
  return isHello ? { code: "unreachable", ...words } : null;
}

function withoutOvertaken(waiting: readonly AgentFrame[], frames: readonly AgentFrame[]): AgentFrame[] {
  if (frames.some(({ type }) => type === "hello")) return [];
  if (!frames.some(({ type }) => type === "heartbeat")) return [...waiting];
  return waiting.filter(({ type }) => type !== "heartbeat");
}

function takeBatch(waiting: readonly AgentFrame[]): readonly AgentFrame[] {
  let bytes = 0;
  let count = 0;
  for (const frame of waiting.slice(0, MAX_FRAMES)) {
    bytes += Buffer.byteLength(JSON.stringify(frame)) + 1;
    if (count > 0 && bytes > MAX_BODY_BYTES) break;
    count += 1;
  }
  return waiting.slice(0, count);
}
