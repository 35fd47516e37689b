import { randomUUID } from "node:crypto";
import type { Build } from "../../../protocol/build.ts";
import { DEFAULTS } from "../../../protocol/defaults.ts";
import type { CoordinatorFrame, Heartbeat, Orders } from "../../../protocol/frames.ts";
import { IDLE_UPDATE } from "../../harness/idle-update.ts";
import type { Door, DoorCall } from "./door.ts";
import { BUILD, heartbeatOf, helloOf } from "./node.ts";

/** An agent's side of the protocol over HTTP; it says what it is told to say. */
export class DoorNode {
  readonly id: string;
  readonly name: string;
  readonly group: string;
  readonly credential: string;
  instanceId: string = randomUUID();
  build: Build = BUILD;
  journal: Heartbeat["journal"] = { kind: "idle" };
  session = "";
  orders: Orders | null = null;
  readonly #door: Door;
  #seq = 0;

  constructor(door: Door, id: string, name: string, group: string, credential: string) {
    this.#door = door;
    this.id = id;
    this.name = name;
    this.group = group;
    this.credential = credential;
  }

  async hello(protocol = 1): Promise<void> {
    const { build, journal } = this;
    const [welcome] = await this.frames([{ ...helloOf(this.instanceId), protocol, build, journal }]);
    if (welcome?.type !== "welcome") throw new Error(JSON.stringify(welcome));
    this.session = welcome.session;
    this.#seq = 0;
  }

  async beat(more: Partial<Heartbeat> = {}): Promise<void> {
    this.#seq += 1;
    const { session, journal } = this;
    const frame = { ...heartbeatOf(session, this.#seq, this.instanceId), journal, ...more };
    for (const each of await this.frames([frame])) if (each.type === "orders") this.orders = each;
  }

  async frames(frames: readonly unknown[]): Promise<readonly CoordinatorFrame[]> {
    const body = await this.#door.must("POST", "/v1/heartbeat", { token: this.credential, body: { frames } });
    return body.frames as CoordinatorFrame[];
  }

  /** Starts an update, as an operator would; answers the job's id. */
  async update(body: object = {}): Promise<string> {
    const { jobId } = await this.#door.must("POST", `/v1/nodes/${this.id}/update`, { body });
    await this.beat();
    return String(jobId);
  }

  /** Says that its job has failed, before it took any lease. */
  async fail(): Promise<void> {
    const reason = { code: "disk-full", message: "No space left." };
    await this.beat({ update: { ...IDLE_UPDATE, jobId: this.#desired.jobId, failed: true, reason } });
  }

  /** Goes through the whole of an update, to being confirmed. */
  async updateWell(): Promise<void> {
    const { jobId, build: to } = this.#desired;
    if (to === null) throw new Error("it is to go back");
    const prepared = { ...IDLE_UPDATE, state: "prepared" as const, jobId, build: to };
    await this.beat({ update: prepared });
    await this.#door.tick();
    const token = await this.inFlight();
    this.journal = { kind: "swapping", token, jobId, from: this.build, to };
    [this.build, this.instanceId] = [to, randomUUID()];
    await this.hello();
    for (let beat = 0; beat < 3; beat += 1) {
      this.#door.clock.pass(DEFAULTS.heartbeatMs);
      await this.beat();
    }
    if (this.orders?.confirm?.instanceId !== this.instanceId) throw new Error("it was not told to confirm");
    this.journal = { kind: "idle" };
    await this.beat({ finalWords: [{ token, jobId, word: "confirmed", reason: null }] });
  }

  get #desired() {
    const desired = this.orders?.desired;
    if (desired == null) throw new Error(`${this.name} has no job`);
    return desired;
  }

  /** Asks for the lease of its group, for the job and build that it was ordered. */
  reserve(): [path: string, call: DoorCall] {
    const { session } = this;
    const { jobId, build } = this.#desired;
    const body = { session, jobId, build };
    return [`/v1/groups/${this.group}/lease/reserve`, { token: this.credential, body }];
  }

  async reserved(): Promise<number> {
    const [path, call] = this.reserve();
    return Number((await this.#door.must("POST", path, call)).token);
  }

  /** Any other request about the lease. */
  lease(action: string, more: object): [path: string, call: DoorCall] {
    const body = { session: this.session, ...more };
    return [`/v1/groups/${this.group}/lease/${action}`, { token: this.credential, body }];
  }

  async inFlight(): Promise<number> {
    const token = await this.reserved();
    const [path, call] = this.lease("commit", { token, needMs: 10 });
    await this.#door.must("POST", path, call);
    return token;
  }
}
