import { randomUUID } from "node:crypto";
import type { JoinReply } from "../../../protocol/access.ts";
import type { Build } from "../../../protocol/build.ts";
import {
  type AgentFrame,
  type CoordinatorFrame,
  type Diagnosis,
  type Hello,
  type Log,
  type NodeHoldings,
  type Orders,
  PROTOCOL,
  type UpdateReport,
} from "../../../protocol/frames.ts";
import type { HealthReport } from "../../../protocol/health.ts";
import type { FinalWord, JournalReport } from "../../../protocol/journal.ts";
import { IDLE_UPDATE } from "../../harness/idle-update.ts";
import type { House } from "./house.ts";
import { buildOf } from "./shelf.ts";

/** An agent's side of the protocol, moved by the test: it says what it is told to say, and nothing by itself. */
export class TestAgent {
  readonly id: string;
  readonly name: string;
  readonly group: string;
  readonly credential: string;
  /** What it says hello with, and what it was welcomed with. */
  protocol: number = PROTOCOL;
  agreed = 1;
  instanceId: string = randomUUID();
  runs: Build;
  canHandOver = false;
  health: HealthReport = { healthy: true };
  journal: JournalReport = { kind: "idle" };
  words: FinalWord[] = [];
  holdings: NodeHoldings = { backup: null, hold: false, quarantine: [] };
  update: UpdateReport = IDLE_UPDATE;
  session = "";
  orders: Orders | null = null;
  readonly pushed: CoordinatorFrame[] = [];
  readonly #house: House;
  #seq = 0;

  constructor(house: House, joined: JoinReply, runs: string) {
    this.#house = house;
    this.id = joined.nodeId;
    this.name = joined.name;
    this.group = joined.group;
    this.credential = joined.credential;
    this.runs = buildOf(runs);
  }

  get hello(): Hello {
    return {
      type: "hello",
      protocol: this.protocol,
      instanceId: this.instanceId,
      build: this.runs,
      platform: "linux-x64",
      runtime: "26.10.0",
      canHandOver: this.canHandOver,
      journal: this.journal,
      finalWords: this.words,
      holdings: this.holdings,
    };
  }

  /** Hello and the first heartbeat. */
  async connect(): Promise<void> {
    const [welcome] = await this.#house.baton.sessions.receive(this.id, [this.hello]);
    if (welcome?.type !== "welcome") throw new Error(`no welcome but ${JSON.stringify(welcome)}`);
    this.session = welcome.session;
    this.agreed = welcome.protocol ?? 1;
    this.#seq = 0;
    await this.beat();
  }

  get heartbeat() {
    const { session, instanceId, health, journal, words, update, holdings } = this;
    this.#seq += 1;
    const seq = this.#seq;
    return {
      type: "heartbeat" as const,
      session,
      seq,
      instanceId,
      health,
      journal,
      finalWords: words,
      update,
      holdings,
    };
  }

  /** A frame of what the last one's `seq` rises from: a diagnosis, say, or lines of a log. */
  send(frame: Omit<Diagnosis, "session" | "seq"> | Omit<Log, "session" | "seq">) {
    this.#seq += 1;
    return this.#receive({ ...frame, session: this.session, seq: this.#seq });
  }

  beat(): Promise<readonly CoordinatorFrame[]> {
    return this.#receive(this.heartbeat);
  }

  async #receive(frame: AgentFrame): Promise<readonly CoordinatorFrame[]> {
    const answers = await this.#house.baton.sessions.receive(this.id, [frame]);
    for (const answer of answers) if (answer.type === "orders") this.#take(answer);
    return answers;
  }

  attach(): () => void {
    return this.#house.baton.sessions.attach(this.id, {
      send: (frame) => {
        this.pushed.push(frame);
        if (frame.type === "orders") this.#take(frame);
      },
      superseded: () => undefined,
      revoked: () => undefined,
    });
  }

  #take(orders: Orders): void {
    if (orders.session !== this.session) return;
    this.orders = orders;
    this.words = this.words.filter((word) => !orders.acknowledged.includes(word.token));
  }

  say(state: UpdateReport["state"], more: Partial<UpdateReport> = {}): void {
    const desired = this.orders?.desired ?? null;
    this.update = {
      ...IDLE_UPDATE,
      state,
      jobId: desired?.jobId ?? null,
      build: desired?.build ?? null,
      ...more,
    };
  }

  /** Says that the desired build is ready on the disk. */
  async prepare(): Promise<void> {
    this.say("prepared", { step: "prepare" });
    await this.beat();
  }

  reserve(build: Build | null = this.orders?.desired?.build ?? this.holdings.backup) {
    const jobId = this.orders?.desired?.jobId ?? "j-000000000000";
    if (build === null) throw new Error("nothing to reserve for");
    return this.#house.baton.leases.reserve(this.id, this.group, { session: this.session, jobId, build });
  }

  commit(token: number) {
    return this.#house.baton.leases.commit(this.id, this.group, {
      session: this.session,
      token,
      needMs: 10_000,
    });
  }

  /** Reserve and commit; the journal says so. */
  async goDown(): Promise<number> {
    const reserved = await this.reserve();
    if (!reserved.ok) throw new Error(`${this.name} was not granted: ${reserved.error.message}`);
    const { token } = reserved.value;
    const committed = await this.commit(token);
    if (!committed.ok) throw new Error(`${this.name} may not go down: ${committed.error.message}`);
    const to = this.orders?.desired?.build ?? this.holdings.backup;
    const jobId = this.orders?.desired?.jobId ?? "j-000000000000";
    if (to === null) throw new Error("nothing to swap to");
    this.journal = { kind: "swapping", token, jobId, from: this.runs, to };
    return token;
  }

  /** A new process, of what `dist` names now. */
  async start(build: Build): Promise<void> {
    this.instanceId = randomUUID();
    if (build.buildHash !== this.runs.buildHash) this.holdings = { ...this.holdings, backup: this.runs };
    this.runs = build;
    this.say("probation");
    await this.connect();
  }

  /** Keeps the build, durably, if the orders say so to this very process. */
  async confirm(): Promise<boolean> {
    const confirm = this.orders?.confirm ?? null;
    if (confirm === null || confirm.instanceId !== this.instanceId) return false;
    const jobId = this.update.jobId ?? "j-000000000000";
    this.words = [{ token: confirm.token, jobId, word: "confirmed", reason: null }];
    this.journal = { kind: "idle" };
    this.update = IDLE_UPDATE;
    await this.beat();
    return true;
  }

  /** The whole of a good update, from prepared to confirmed; three heartbeats of the new build. */
  async updateWell(others: readonly TestAgent[]): Promise<void> {
    await this.prepare();
    await this.goDown();
    const to = this.orders?.desired?.build;
    if (to == null) throw new Error("nothing desired");
    await this.start(to);
    await this.#house.beats(2, this, ...others);
    if (!(await this.confirm())) throw new Error(`${this.name} was not told to confirm`);
  }

  /** Back on the old build: quarantined, its last word said. */
  async goBack(token: number, from: Build): Promise<void> {
    const jobId = this.update.jobId ?? "j-000000000000";
    const reason = { code: "unhealthy", message: "The health hook failed." };
    const bad = this.runs;
    this.instanceId = randomUUID();
    this.runs = from;
    this.holdings = {
      ...this.holdings,
      quarantine: [{ build: bad, reason, at: 1, provisional: false, by: "agent" }],
    };
    this.journal = { kind: "idle" };
    this.update = IDLE_UPDATE;
    this.words = [{ token, jobId, word: "rolled-back", reason }];
    await this.connect();
  }
}
