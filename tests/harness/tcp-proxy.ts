import { once } from "node:events";
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Socket } from "node:net";

/** What is done to a connection when the client sends something that contains `when`. */
export type TcpFault = {
  readonly when: string;
  /**
   * `lose-question`: it is not passed on; `lose-answer`: it is, and the connection ends when the first of the answer
   * comes; `hang`: nothing is passed on any more, in neither direction, and nothing ends.
   */
  readonly do: "lose-question" | "lose-answer" | "hang";
  times: number;
  /** Called when it befalls a connection: with `lose-answer` when the answer has come. */
  readonly called?: () => void;
};

/** One target, or whoever is the next connection's. */
export type Target = NetConnectOpts | (() => NetConnectOpts);

export type TcpProxy = {
  readonly port: number;
  /** Whom new connections are led to. */
  readonly lead: (target: Target) => void;
  readonly fault: (fault: TcpFault) => void;
  /** Ends all connections, as a reset of the network does. */
  readonly cut: () => void;
  /** Of all connections whose client has sent `said` at their beginning nothing is passed on any more; answers how many. */
  readonly silence: (said: string) => number;
  /** Bytes of the client that contained what a fault waits for. */
  readonly hits: () => number;
  readonly close: () => Promise<void>;
};

/** What is kept of what a client has sent, to know it by. */
const BEGINNING = 4_096;

/** Passes bytes on between clients on loopback and one target, until it is told to lose some. */
export async function startTcpProxy(first: Target): Promise<TcpProxy> {
  let target = first;
  let hits = 0;
  const faults: TcpFault[] = [];
  const open = new Set<Socket>();
  const connections = new Set<{ beginning: string; hangs: boolean }>();
  const server = createServer((client) => {
    const there = connect(typeof target === "function" ? target() : target);
    let losing: TcpFault | null = null;
    const own = { beginning: "", hangs: false };
    connections.add(own);
    const end = (): void => {
      client.destroy();
      there.destroy();
    };
    for (const socket of [client, there]) {
      open.add(socket);
      socket.on("error", end).on("close", () => {
        open.delete(socket);
        connections.delete(own);
        end();
      });
    }
    client.on("data", (bytes) => {
      const fault = faults.find(({ when, times }) => times > 0 && bytes.includes(when));
      if (fault !== undefined) {
        fault.times -= 1;
        hits += 1;
        if (fault.do !== "lose-answer") fault.called?.();
        if (fault.do === "lose-question") return end();
        if (fault.do === "hang") own.hangs = true;
        if (fault.do === "lose-answer") losing = fault;
      }
      if (own.beginning.length < BEGINNING) own.beginning += bytes.toString("latin1");
      if (!own.hangs) there.write(bytes);
    });
    there.on("data", (bytes) => {
      if (losing !== null) {
        losing.called?.();
        losing = null;
        end();
      } else if (!own.hangs) client.write(bytes);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    lead: (to) => {
      target = to;
    },
    fault: (fault) => void faults.push(fault),
    cut,
    silence: (said) => {
      const found = [...connections].filter(({ beginning }) => beginning.includes(said));
      for (const each of found) each.hangs = true;
      return found.length;
    },
    hits: () => hits,
    close: async () => {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
