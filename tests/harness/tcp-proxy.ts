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
};

export type TcpProxy = {
  readonly port: number;
  /** Whom new connections are led to. */
  readonly lead: (target: NetConnectOpts) => void;
  readonly fault: (fault: TcpFault) => void;
  /** Ends all connections, as a reset of the network does. */
  readonly cut: () => void;
  /** Bytes of the client that contained what a fault waits for. */
  readonly hits: () => number;
  readonly close: () => Promise<void>;
};

/** Passes bytes on between clients on loopback and one target, until it is told to lose some. */
export async function startTcpProxy(first: NetConnectOpts): Promise<TcpProxy> {
  let target = first;
  let hits = 0;
  const faults: TcpFault[] = [];
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const there = connect(target);
    let loses = false;
    let hangs = false;
    const end = (): void => {
      client.destroy();
      there.destroy();
    };
    for (const socket of [client, there]) {
      open.add(socket);
      socket.on("error", end).on("close", () => {
        open.delete(socket);
        end();
      });
    }
    client.on("data", (bytes) => {
      const fault = faults.find(({ when, times }) => times > 0 && bytes.includes(when));
      if (fault !== undefined) {
        fault.times -= 1;
        hits += 1;
        if (fault.do === "lose-question") return end();
        if (fault.do === "hang") hangs = true;
        if (fault.do === "lose-answer") loses = true;
      }
      if (!hangs) there.write(bytes);
    });
    there.on("data", (bytes) => {
      if (loses) end();
      else if (!hangs) client.write(bytes);
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
    hits: () => hits,
    close: async () => {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
