/** A world put together from a history: its nodes, its coordinator, and what lies between them. */
import { DEFAULTS } from "../../protocol/defaults.ts";
import type { Result } from "../../protocol/result.ts";
import type { Coordinator } from "../../server-stub/service/coordinator.ts";
import { Builds, makeBuild, type SimBuild } from "./builds.ts";
import { CoordinatorMachine, OPERATOR } from "./coordinator.ts";
import type { CoordinatorParts, CoordinatorWatch, PutBack } from "./coordinator-parts.ts";
import { Database } from "./database.ts";
import type { GroupSetup, History, NodeSetup } from "./history.ts";
import { Network } from "./network.ts";
import { GUARD, type Guard, NodeMachine } from "./node.ts";
import { type Random, randomOf } from "./random.ts";
import { Seat } from "./seat.ts";
import { openStorage, type Storage, sharedStorage } from "./storage.ts";
import { Story } from "./story.ts";
import { Time } from "./time.ts";
import { Cluster } from "./workload.ts";

export type WorldOptions = {
  readonly isTold: boolean;
  readonly guard?: Guard;
  /** What the coordinator's services are made with besides. */
  readonly services?: CoordinatorParts["services"];
};

export class World {
  readonly time = new Time();
  readonly history: History;
  readonly story: Story;
  readonly network: Network;
  readonly builds = new Builds();
  /** One, or as many as there are names for: of those only one decides. */
  readonly coordinators: readonly CoordinatorMachine[];
  readonly nodes = new Map<string, NodeMachine>();
  readonly clusters = new Map<string, Cluster>();
  readonly storage: Storage;
  /** Of several coordinators. */
  readonly database: Database;
  readonly seat: Seat;
  /** What the hooks of workloads are like right now. */
  luck = { fails: 0, overruns: 0 };
  /** Looks at the world after each step. */
  afterStep: () => Promise<void> = () => Promise.resolve();
  /** Told of every state that an update machine comes to: who looks on, and who has planned something for it. */
  came: (node: NodeMachine, state: string) => void = () => undefined;
  entered: (node: string, state: string) => void = () => undefined;
  readonly #backup: PutBack = { isFresh: false, restores: 0 };
  readonly #guard: Guard;
  readonly #watch: CoordinatorWatch;
  readonly #doors: Random;

  static async make(history: History, watch: CoordinatorWatch, options: WorldOptions): Promise<World> {
    return new World(history, watch, options, await openStorage(history.storage));
  }

  private constructor(history: History, watch: CoordinatorWatch, options: WorldOptions, storage: Storage) {
    const { seed } = history;
    this.history = history;
    const { replicas = [] } = history;
    this.storage = replicas.length === 0 ? storage : sharedStorage(storage);
    this.#watch = watch;
    this.#guard = options.guard ?? GUARD;
    this.story = new Story(this.time, options.isTold);
    this.network = new Network(this.time, randomOf(seed, "network"));
    this.#doors = randomOf(seed, "doors");
    this.database = new Database(this.time, (what) => watch.count(what));
    this.seat = new Seat(this.time, this.database);
    const machine = (name: string, shared: CoordinatorParts["shared"]) =>
      new CoordinatorMachine({
        name,
        shared,
        time: this.time,
        network: this.network,
        random: randomOf(seed, name),
        story: this.story,
        storage: this.storage,
        builds: this.builds,
        timings: { ...DEFAULTS },
        rate: history.coordinatorRate,
        watch,
        services: options.services ?? {},
        backup: this.#backup,
      });
    this.coordinators =
      replicas.length === 0
        ? [machine("coordinator", null)]
        : replicas.map((name) => machine(name, { database: this.database, seat: this.seat }));
    for (const each of this.coordinators) each.decides = () => this.tookSeatLast;
  }

  /** The one that decides; the first while none does. */
  get coordinator(): CoordinatorMachine {
    const [first] = this.coordinators;
    const newest = this.tookSeatLast;
    const found = newest?.isUp === true ? newest : (this.coordinators.find(({ isUp }) => isUp) ?? first);
    if (found === undefined) throw new Error("there is no coordinator");
    return found;
  }

  /** Whoever took the seat last, whatever has become of it. */
  get tookSeatLast(): CoordinatorMachine | null {
    const last = this.coordinators.reduce((one, other) => (other.satDownAt > one.satDownAt ? other : one));
    return last.satDownAt === Number.NEGATIVE_INFINITY ? null : last;
  }

  /** Where a connection leads that an agent opens: to any of them, which leads on to whom it believes to decide. */
  get door(): CoordinatorMachine {
    if (this.coordinators.length === 1) return this.coordinator;
    const found = this.#doors.pick(this.coordinators) ?? this.coordinator;
    const standsBy = found.isRunning && !found.isUp && !found.clock.isAsleep;
    return (standsBy ? found.leadsTo : null) ?? found;
  }

  /** The last backup takes the place of what is stored, under all who run on it. Answers who begins on it. */
  async restore(): Promise<readonly CoordinatorMachine[]> {
    for (const each of this.coordinators) await each.crash();
    this.database.replaced();
    if (await this.storage.restore()) this.#backup.isFresh = true;
    return this.coordinators;
  }

  /** A restored one is begun on alone, and then by all. */
  async start(machines: readonly CoordinatorMachine[] = this.coordinators): Promise<void> {
    for (const each of machines) await this.outside(each.start());
  }

  /** The coordinator runs, and every node of the history has joined and boots. */
  async begin(): Promise<void> {
    const first = this.builds.add(makeBuild("1.0.0", "good"));
    this.builds.publish(first);
    await this.start();
    await this.pass(this.coordinators.length > 1 ? 2_000 : 200);
    for (const group of this.history.groups) {
      await this.addGroup(group);
      for (const setup of group.nodes) (await this.join(group.name, setup, first)).boot();
    }
  }

  async addGroup({ name, mode, nodes, hasRoles }: GroupSetup): Promise<void> {
    must(await this.whileTimePasses(this.#services.groups.create(OPERATOR, { name, mode })));
    const cluster = new Cluster(this.time, randomOf(this.history.seed, `cluster ${name}`), hasRoles);
    cluster.voters = nodes.filter(({ voter }) => voter).map((node) => node.name);
    this.clusters.set(name, cluster);
  }

  /** A machine that has joined the group and is switched off; approved, unless it has to wait for that. */
  async join(
    group: string,
    setup: NodeSetup,
    runs: SimBuild,
    { autoApprove = true } = {},
  ): Promise<NodeMachine> {
    const node = this.machine(group, setup, runs);
    this.nodes.set(setup.name, node);
    const token = { group, voter: setup.voter, autoApprove };
    const { access } = this.#services;
    const { secret } = must(await this.whileTimePasses(access.createJoinToken(OPERATOR, token)));
    const request = { token: secret, name: setup.name };
    const joined = must(await this.whileTimePasses(access.join(request, "10.0.0.1")));
    return Object.assign(node, { credential: joined.credential, nodeId: joined.nodeId, group });
  }

  /** One that is fresh, switched off, and has not joined. */
  machine(group: string, setup: NodeSetup, runs: SimBuild): NodeMachine {
    const cluster = this.clusters.get(group);
    if (cluster === undefined) throw new Error(`there is no group ${group}`);
    const node = new NodeMachine({
      ...setup,
      time: this.time,
      network: this.network,
      coordinator: () => this.door,
      builds: this.builds,
      story: this.story,
      random: randomOf(this.history.seed, `node ${setup.name}`),
      cluster,
      runs,
      luck: () => this.luck,
      guard: this.#guard,
      wentWrong: (who, message, fields) => this.#watch.wentWrong(`${who}: ${message}`, fields),
      entered: (who, state) => {
        this.came(node, state);
        this.entered(who, state);
      },
      count: (what) => this.#watch.count(what),
    });
    return node;
  }

  get #services(): Coordinator {
    const { services } = this.coordinator;
    if (services === null) throw new Error("the coordinator is not there");
    return services;
  }

  /** Lets time pass until a promise that needs it is kept. */
  async whileTimePasses<T>(work: Promise<T>): Promise<T> {
    let over = false;
    const done = work.finally(() => {
      over = true;
    });
    done.catch(() => undefined);
    await this.time.settle();
    while (!over) {
      if (!(await this.time.step(this.time.now + 60_000))) throw new Error("it never ends");
      await this.afterStep();
    }
    return done;
  }

  async pass(ms: number): Promise<void> {
    const until = this.time.now + ms;
    await this.time.settle();
    while (await this.time.step(until)) await this.afterStep();
    this.time.now = until;
  }

  outside<T>(work: Promise<T>): Promise<T> {
    return this.time.outside(work);
  }

  async end(): Promise<void> {
    for (const each of this.coordinators) await each.crash();
    await this.storage.remove();
  }
}

export function must<T>(result: Result<T, { code: string; message: string }>): T {
  if (result.ok) return result.value;
  throw new Error(`${result.error.code}: ${result.error.message}`);
}
