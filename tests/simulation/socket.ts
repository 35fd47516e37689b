/**
 * A WebSocket between one process of an agent and the coordinator, with both of its ends: `agent/session/websocket.ts`
 * and `server-stub/live/connection.ts` in what they mean, over the simulated network.
 */
import type {
  OpenTransport,
  Transport,
  TransportEvents,
  TransportFault,
} from "../../agent/session/transport.ts";
import type { CoordinatorFrame } from "../../protocol/frames.ts";
import type { NodeId } from "../../protocol/names.ts";
import { err, ok, type Result } from "../../protocol/result.ts";
import type { CoordinatorMachine } from "./coordinator.ts";
import { isAway } from "./coordinator-parts.ts";
import { readCoordinatorFrame } from "./frames.ts";
import type { Lane, Network } from "./network.ts";
import type { Time } from "./time.ts";

export type Wire = {
  readonly time: Time;
  readonly network: Network;
  /** Where the coordinator's address leads right now. */
  readonly coordinator: () => CoordinatorMachine;
  readonly node: string;
  readonly credential: string;
  /** What it says hello in: an agent that is welcomed in an older protocol speaks that. */
  readonly protocol: number;
  readonly isAlive: () => boolean;
  /** Reaches the process when its machine is awake. */
  readonly reach: (run: () => void) => void;
  /** Calls back when the process has ended on a machine that goes on, whose kernel closes its connections. */
  readonly ended: (run: () => void) => void;
};

const HANDSHAKE_MS = 10_000;
const PING_MS = 10_000;

export const openSocket =
  (wire: Wire): OpenTransport =>
  (events, signal) =>
    new Promise((resolve) => {
      const { time, network, node } = wire;
      let over = false;
      const settle = (result: Result<Transport, TransportFault>) => {
        if (over) return;
        over = true;
        cancel();
        resolve(result);
      };
      const broken = (message: string) => settle(err({ code: "unreachable", message }));
      const cancel = time.after(HANDSHAKE_MS, () => wire.reach(() => broken("The handshake took too long.")));
      signal.addEventListener("abort", () => broken("Stopped."), { once: true });
      network.send(node, "to-coordinator", () => {
        if (over || !wire.isAlive()) return;
        const coordinator = wire.coordinator();
        coordinator.clock.reach(() => greet(coordinator));
      });
      const refused = () =>
        network.send(node, "to-node", () => wire.reach(() => broken("The connection was refused.")));
      const greet = (coordinator: CoordinatorMachine): void => {
        if (!coordinator.isUp) {
          refused();
          return;
        }
        const answering = coordinator.doors.authenticate(wire.credential).then(
          (by) =>
            network.send(node, "to-node", () =>
              wire.reach(() => {
                if (over || !wire.isAlive()) return;
                if (by?.kind !== "node") return settle(err({ code: "unauthorized", message: "Not let in." }));
                // Whoever was let in while all were sent away is sent away too.
                if (!coordinator.isUp) return broken("The coordinator does not decide any more.");
                settle(ok(connect(wire, coordinator, by.nodeId, events)));
              }),
            ),
          (cause: unknown) => {
            if (!isAway(cause)) throw cause;
            refused();
          },
        );
        time.must(answering);
      };
    });

/** Both ends, from the moment at which the agent's is open. */
function connect(
  wire: Wire,
  coordinator: CoordinatorMachine,
  nodeId: NodeId,
  events: TransportEvents,
): Transport {
  const { time, network, node } = wire;
  const up = network.lane(node, "to-coordinator");
  const down = network.lane(node, "to-node");
  let isOpen = true;
  const end = (fault: TransportFault) => {
    if (!isOpen || !wire.isAlive()) return;
    isOpen = false;
    events.ended(fault);
  };
  const server = new ServerEnd(time, coordinator, nodeId, down, {
    frame: (text) =>
      wire.reach(() => {
        if (!isOpen || !wire.isAlive()) return;
        events.heard();
        const frame = readCoordinatorFrame(text);
        if (frame.ok) events.frame(frame.value);
        else end({ code: "malformed", message: frame.error.message });
      }),
    closed: (why) => wire.reach(() => end({ code: why, message: `The coordinator closed it: ${why}.` })),
    pong: () =>
      wire.reach(() => {
        if (isOpen && wire.isAlive()) events.heard();
      }),
    answersPings: () => isOpen && wire.isAlive() && network.reaches(node),
  });
  coordinator.doors.open(server);
  wire.ended(() => up.send(() => server.close(null)));
  return {
    kind: "websocket",
    server: "wss://coordinator",
    send: (frames) => {
      for (const frame of frames) {
        const text = JSON.stringify(frame.type === "hello" ? { ...frame, protocol: wire.protocol } : frame);
        up.send(() => server.take(text));
      }
    },
    probe: () => up.send(() => server.ping()),
    close: () => {
      isOpen = false;
      up.send(() => server.close(null));
    },
  };
}

type ClientEnd = {
  frame(text: string): void;
  closed(why: "superseded" | "malformed" | "unauthorized" | "unreachable"): void;
  pong(): void;
  answersPings(): boolean;
};

/** The coordinator's end. */
export class ServerEnd {
  readonly #time: Time;
  readonly #coordinator: CoordinatorMachine;
  readonly #services: CoordinatorMachine["services"];
  readonly #nodeId: NodeId;
  readonly #down: Lane;
  readonly #client: ClientEnd;
  #isOpen = true;
  #detach: (() => void) | null = null;
  #taken: Promise<void> = Promise.resolve();
  #missed = 0;

  constructor(time: Time, coordinator: CoordinatorMachine, nodeId: NodeId, down: Lane, client: ClientEnd) {
    this.#time = time;
    this.#coordinator = coordinator;
    this.#services = coordinator.services;
    this.#nodeId = nodeId;
    this.#down = down;
    this.#client = client;
    this.#watchPings();
  }

  take(text: string): void {
    this.#coordinator.clock.reach(() => {
      if (!this.#isOpen) return;
      this.#taken = this.#taken.then(() => this.#take(text));
      this.#time.must(this.#taken);
    });
  }

  ping(): void {
    if (this.#isOpen) this.#down.send(() => this.#client.pong());
  }

  /** By either side; with a reason the client is told. */
  close(why: Parameters<ClientEnd["closed"]>[0] | null): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#detach?.();
    this.#coordinator.doors.closed(this);
    if (why !== null) this.#down.send(() => this.#client.closed(why));
  }

  /** The coordinator's process has died. */
  reset(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#down.send(() => this.#client.closed("unreachable"));
  }

  async #take(text: string): Promise<void> {
    if (!this.#isOpen) return;
    const answers = await this.#coordinator.doors.take(this.#nodeId, text);
    if (answers === "malformed") return this.close("malformed");
    if (answers === "broken") return this.close("unreachable");
    for (const answer of answers) this.#send(answer);
    if (answers.some(({ type }) => type === "welcome") && this.#detach === null && this.#isOpen) {
      this.#detach =
        this.#services?.sessions.attach(this.#nodeId, {
          send: (frame) => this.#send(frame),
          superseded: () => this.close("superseded"),
          revoked: () => this.close("unauthorized"),
        }) ?? null;
    }
  }

  #send(frame: CoordinatorFrame): void {
    if (!this.#isOpen) return;
    const text = JSON.stringify(frame);
    this.#down.send(() => this.#client.frame(text));
  }

  #watchPings(): void {
    this.#time.after(PING_MS, () => {
      if (!this.#isOpen) return;
      this.#missed = this.#client.answersPings() ? 0 : this.#missed + 1;
      if (this.#missed >= 2) this.close(null);
      else this.#watchPings();
    });
  }
}
