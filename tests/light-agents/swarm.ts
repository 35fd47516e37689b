/** All light agents, spread over child processes so that they do not get into each other's way. */
import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Build } from "../../protocol/build.ts";
import type { AgentRecord } from "./record.ts";

export type Joining = { readonly name: string; readonly secret: string; readonly isQuorum: boolean };

export type Start = {
  readonly do: "start";
  readonly url: string;
  readonly build: Build;
  readonly nodes: readonly Joining[];
  readonly labels: Readonly<Record<string, string>>;
  /** At once when they have joined; otherwise when they are told to. */
  readonly connects: boolean;
  /** Where each process keeps its diary; null without any. */
  readonly diaryDir: string | null;
  /** See `AgentWorld`. */
  readonly fetchMs: number;
  readonly restartMs: readonly [number, number];
  readonly patienceMs: number;
  readonly reconnectMs: readonly [number, number];
};

export type Asked =
  | Start
  | { readonly do: "counts" | "records" | "cut" | "unstall" | "bury" | "end" }
  | { readonly do: "connect"; readonly withinMs: number }
  | { readonly do: "stall" | "vanish" | "flood"; readonly share: number };

/** What the agents of one process, or of all, have come to. `lines`, `ended`, `leases`: acknowledged ones. */
export type Counts = {
  readonly online: number;
  readonly busy: number;
  readonly reconnects: number;
  readonly lines: number;
  readonly ended: number;
  readonly leases: number;
  readonly errors: number;
  readonly mostDown: number;
  /** Since it was asked last: between a heartbeat and the next frame. */
  readonly answeredMs: readonly number[];
  readonly complaints: readonly string[];
};

export type Answer = {
  readonly id: number;
  readonly value: null | Counts | readonly AgentRecord[];
  readonly error: string | null;
};

type Waiting = {
  readonly resolve: (value: Answer["value"]) => void;
  readonly reject: (error: Error) => void;
};

class Child {
  readonly #process: ChildProcess = fork(join(import.meta.dirname, "swarm-process.ts"));
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;

  constructor() {
    this.#process.on("message", ({ id, value, error }: Answer) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === null) waiting?.resolve(value);
      else waiting?.reject(new Error(error));
    });
    this.#process.on("exit", (code, signal) => {
      const error = new Error(`a process of agents ended with ${code ?? signal}`);
      for (const waiting of this.#waiting.values()) waiting.reject(error);
    });
  }

  ask(asked: Asked): Promise<Answer["value"]> {
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#process.send({ id, asked });
    });
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }
}

export class Swarm {
  readonly #children: readonly Child[];

  constructor(processes: number) {
    this.#children = Array.from({ length: processes }, () => new Child());
  }

  /** `groups`: nodes that are in one group; they come into the same process. Resolves when all have joined. */
  async start(groups: readonly (readonly Joining[])[], how: Omit<Start, "do" | "nodes">): Promise<void> {
    const shares = this.#children.map((_, nth) =>
      groups.filter((_group, at) => at % this.#children.length === nth).flat(),
    );
    await Promise.all(
      this.#children.map((child, at) => child.ask({ ...how, do: "start", nodes: shares[at] ?? [] })),
    );
  }

  async tell(asked: Asked): Promise<void> {
    await Promise.all(this.#children.map((child) => child.ask(asked)));
  }

  async counts(): Promise<Counts> {
    const all = (await Promise.all(this.#children.map((child) => child.ask({ do: "counts" })))) as Counts[];
    return all.reduce((sum, one) => ({
      online: sum.online + one.online,
      busy: sum.busy + one.busy,
      reconnects: sum.reconnects + one.reconnects,
      lines: sum.lines + one.lines,
      ended: sum.ended + one.ended,
      leases: sum.leases + one.leases,
      errors: sum.errors + one.errors,
      mostDown: Math.max(sum.mostDown, one.mostDown),
      answeredMs: [...sum.answeredMs, ...one.answeredMs],
      complaints: [...sum.complaints, ...one.complaints],
    }));
  }

  async untilOnline(sessions: number, withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    for (let online = 0; online < sessions; { online } = await this.counts()) {
      if (performance.now() > deadline)
        throw new Error(`${online} of ${sessions} are online after ${Math.round(withinMs / 1000)} s`);
      await sleep(250);
    }
  }

  async records(): Promise<readonly AgentRecord[]> {
    const all = await Promise.all(this.#children.map((child) => child.ask({ do: "records" })));
    return (all as (readonly AgentRecord[])[]).flat();
  }

  kill(): void {
    for (const child of this.#children) child.kill();
  }
}
