/** A real coordinator on a real store in a directory of its own, with hands on its clock. */
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULTS } from "../../../protocol/defaults.ts";
import type { Result } from "../../../protocol/result.ts";
import type { Coordinator, Principal } from "../../../server-stub/service/coordinator.ts";
import { createCoordinator } from "../../../server-stub/service/create.ts";
import type { Machine, Parts } from "../../../server-stub/service/parts.ts";
import { markRestored } from "../../../server-stub/service/restart.ts";
import { openSqliteStore } from "../../../server-stub/store/sqlite/open.ts";
import type { Store } from "../../../server-stub/store/store.ts";
import { SettableClock } from "./settable-clock.ts";
import { Shelf } from "./shelf.ts";
import { TestAgent } from "./test-agent.ts";

export const ADMIN: Principal = {
  kind: "operator",
  id: "o-1",
  name: "ada",
  role: "admin",
  from: "127.0.0.1",
};

export class House {
  readonly clock = new SettableClock();
  readonly shelf = new Shelf();
  /** How messages to webhooks go out, from the next `open` on. */
  webhooks: NonNullable<Parts["webhooks"]> = { allowPrivate: true, timeoutMs: 500 };
  readonly logged: { level: string; fields: object; message: string }[] = [];
  readonly dir: string;
  /** What the coordinator's machine says, from the next `open` on; not watched unless told otherwise. */
  machine: Machine | undefined;
  #store: Store | undefined;
  #coordinator: Coordinator | undefined;
  #drawn = 0;

  static async build(): Promise<House> {
    const house = new House(await mkdtemp(join(tmpdir(), "baton-house-")));
    await house.open();
    return house;
  }

  private constructor(dir: string) {
    this.dir = dir;
  }

  get baton(): Coordinator {
    if (this.#coordinator === undefined) throw new Error("the coordinator is down");
    return this.#coordinator;
  }

  get store(): Store {
    if (this.#store === undefined) throw new Error("the coordinator is down");
    return this.#store;
  }

  async open(): Promise<void> {
    this.#store = must(await openSqliteStore(join(this.dir, "coordinator.db"), () => this.clock.now()));
    const say = (level: string) => (fields: object, message: string) => {
      this.logged.push({ level, fields, message });
    };
    this.#coordinator = await createCoordinator({
      store: this.#store,
      repository: this.shelf,
      clock: this.clock,
      random: (bytes) => this.#random(bytes),
      log: { debug: say("debug"), info: say("info"), warn: say("warn"), error: say("error") },
      timings: DEFAULTS,
      webhooks: this.webhooks,
      ...(this.machine === undefined ? {} : { machine: this.machine }),
    });
  }

  /** Ends the coordinator as a crash would: nothing is finished. */
  async crash(): Promise<void> {
    const store = this.store;
    await this.#coordinator?.close();
    this.#store = undefined;
    this.#coordinator = undefined;
    await store.close();
  }

  /** On a store that was put back from a backup. */
  async openRestored(): Promise<void> {
    const store = must(await openSqliteStore(join(this.dir, "coordinator.db")));
    await markRestored(store, this.clock.now());
    await store.close();
    await this.open();
  }

  async restart(): Promise<void> {
    await this.crash();
    await this.open();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#store !== undefined) await this.crash();
    await rm(this.dir, { recursive: true });
  }

  /** A group with agents that have joined, said hello and sent one heartbeat. */
  async group(
    name: string,
    mode: "quorum" | "independent",
    names: readonly string[],
    runs: string,
  ): Promise<TestAgent[]> {
    must(await this.baton.groups.create(ADMIN, { name, mode }));
    const agents: TestAgent[] = [];
    for (const each of names) agents.push(await this.join(name, each, runs));
    return agents;
  }

  async join(group: string, name: string, runs: string, voter = true): Promise<TestAgent> {
    const token = must(await this.baton.access.createJoinToken(ADMIN, { group, voter, autoApprove: true }));
    const joined = must(await this.baton.access.join({ token: token.secret, name }, "127.0.0.1"));
    const agent = new TestAgent(this, joined, runs);
    await agent.connect();
    return agent;
  }

  /** Lets time pass in heartbeats: everybody named sends one, then the engine looks. */
  async beats(count: number, ...agents: readonly TestAgent[]): Promise<void> {
    for (let beat = 0; beat < count; beat += 1) {
      this.clock.pass(DEFAULTS.heartbeatMs);
      for (const agent of agents) await agent.beat();
      await this.baton.tick();
    }
  }

  /** When all that was begun, such as a push, has been done. */
  async settle(): Promise<void> {
    await this.baton.close();
  }

  /** How often something was written to the store since. */
  countWrites(): () => number {
    const store = this.store;
    const apply = store.apply.bind(store);
    let writes = 0;
    store.apply = (changes) => {
      writes += 1;
      return apply(changes);
    };
    return () => writes;
  }

  #random(bytes: number): Uint8Array {
    this.#drawn += 1;
    const drawn = createHash("sha512").update(`draw ${this.#drawn}`).digest();
    return drawn.subarray(0, bytes);
  }
}

/** Exactly as many as were asked for. */
export function three(agents: readonly TestAgent[]): [TestAgent, TestAgent, TestAgent] {
  const [a, b, c] = agents;
  if (a === undefined || b === undefined || c === undefined) throw new Error("there are not three agents");
  return [a, b, c];
}

/** The code of a refusal; the empty word for a success. */
export const code = (result: Result<unknown, { code: string }>): string =>
  result.ok ? "" : result.error.code;

export function must<T>(result: Result<T, { code: string; message: string }>): T {
  if (result.ok) return result.value;
  throw new Error(`${result.error.code}: ${result.error.message}`);
}
