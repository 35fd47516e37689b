/** A world put together from a history: its nodes, its coordinator, and what lies between them. */
import { DEFAULTS } from "../../protocol/defaults.ts";
import type { Result } from "../../protocol/result.ts";
import { Builds, makeBuild } from "./builds.ts";
import { CoordinatorMachine, type CoordinatorWatch, OPERATOR } from "./coordinator.ts";
import type { History } from "./history.ts";
import { Network } from "./network.ts";
import { GUARD, type Guard, NodeMachine } from "./node.ts";
import { randomOf } from "./random.ts";
import { openStorage, type Storage } from "./storage.ts";
import { Story } from "./story.ts";
import { Time } from "./time.ts";
import { Cluster } from "./workload.ts";

export type WorldOptions = { readonly isTold: boolean; readonly guard?: Guard };

export class World {
  readonly time = new Time();
  readonly history: History;
  readonly story: Story;
  readonly network: Network;
  readonly builds = new Builds();
  readonly coordinator: CoordinatorMachine;
  readonly nodes = new Map<string, NodeMachine>();
  readonly clusters = new Map<string, Cluster>();
  readonly storage: Storage;
  /** What the hooks of workloads are like right now. */
  luck = { fails: 0, overruns: 0 };
  /** Looks at the world after each step. */
  afterStep: () => Promise<void> = () => Promise.resolve();
  /** Told of every state that an update machine comes to. */
  entered: (node: string, state: string) => void = () => undefined;
  readonly #guard: Guard;
  readonly #watch: CoordinatorWatch;

  static async make(history: History, watch: CoordinatorWatch, options: WorldOptions): Promise<World> {
    return new World(history, watch, options, await openStorage(history.storage));
  }

  private constructor(history: History, watch: CoordinatorWatch, options: WorldOptions, storage: Storage) {
    const { seed } = history;
    this.history = history;
    this.storage = storage;
    this.#watch = watch;
    this.#guard = options.guard ?? GUARD;
    this.story = new Story(this.time, options.isTold);
    this.network = new Network(this.time, randomOf(seed, "network"));
    this.coordinator = new CoordinatorMachine({
      time: this.time,
      network: this.network,
      random: randomOf(seed, "coordinator"),
      story: this.story,
      storage,
      builds: this.builds,
      timings: { ...DEFAULTS },
      rate: history.coordinatorRate,
      watch,
    });
  }

  /** The coordinator runs, and every node of the history has joined and boots. */
  async begin(): Promise<void> {
    const first = this.builds.add(makeBuild("1.0.0", "good"));
    this.builds.publish(first);
    await this.outside(this.coordinator.start());
    await this.pass(200);
    for (const group of this.history.groups) {
      const { name, mode, nodes, hasRoles } = group;
      const { services } = this.coordinator;
      if (services === null) throw new Error("the coordinator did not start");
      must(await this.whileTimePasses(services.groups.create(OPERATOR, { name, mode })));
      const cluster = new Cluster(this.time, randomOf(this.history.seed, `cluster ${name}`), hasRoles);
      cluster.voters = nodes.filter(({ voter }) => voter).map((node) => node.name);
      this.clusters.set(name, cluster);
      for (const setup of nodes) {
        const node = new NodeMachine({
          ...setup,
          time: this.time,
          network: this.network,
          coordinator: this.coordinator,
          builds: this.builds,
          story: this.story,
          random: randomOf(this.history.seed, `node ${setup.name}`),
          cluster,
          runs: first,
          luck: () => this.luck,
          guard: this.#guard,
          wentWrong: (who, message, fields) => this.#watch.wentWrong(`${who}: ${message}`, fields),
          entered: (who, state) => this.entered(who, state),
          count: (what) => this.#watch.count(what),
        });
        this.nodes.set(setup.name, node);
        const token = { group: name, voter: setup.voter, autoApprove: true };
        const { secret } = must(await this.whileTimePasses(services.access.createJoinToken(OPERATOR, token)));
        const joined = must(
          await this.whileTimePasses(services.access.join({ token: secret, name: setup.name }, "10.0.0.1")),
        );
        Object.assign(node, { credential: joined.credential, nodeId: joined.nodeId, group: name });
        node.boot();
      }
    }
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
    await this.coordinator.crash();
    await this.storage.remove();
  }
}

export function must<T>(result: Result<T, { code: string; message: string }>): T {
  if (result.ok) return result.value;
  throw new Error(`${result.error.code}: ${result.error.message}`);
}
