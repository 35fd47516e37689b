/**
 * What a scenario is told with: an operator's requests, what befalls machines and the network, and waiting until
 * something is so, in the world of the simulation. Every step is checked against the invariants of the simulation too.
 */
import { DEFAULTS } from "../../protocol/defaults.ts";
import type { Job, JobKind } from "../../protocol/job.ts";
import type { Node } from "../../protocol/node.ts";
import type { Rollout, RolloutPolicy, StartRolloutRequest } from "../../protocol/rollout.ts";
import type { Answer, Coordinator, Refusal, StartOptions } from "../../server-stub/service/coordinator.ts";
import { type Manner, makeBuild, type SimBuild } from "../simulation/builds.ts";
import { type CoordinatorMachine, OPERATOR } from "../simulation/coordinator.ts";
import { Checker } from "../simulation/invariants/checker.ts";
import type { NodeMachine } from "../simulation/node.ts";
import { must, World } from "../simulation/world.ts";
import { Followed } from "./followed.ts";
import { type Fleet, minutes, seconds } from "./scenario.ts";

/** How often something that is waited for is looked at: at first, and more seldom the longer it takes. */
const LOOK_EVERY_MS = 250;
const lookAfter = (waitedMs: number): number => Math.max(LOOK_EVERY_MS, Math.floor(waitedMs / 100));

export class Play {
  readonly world: World;
  readonly #checker: Checker;

  /** Everybody has joined, runs 1.0.0 and is heard. */
  static async begin({ groups, storage = "memory", services = {}, replicas = [] }: Fleet): Promise<Play> {
    const checker = new Checker();
    const history = { seed: 1, storage, coordinatorRate: 1, groups, replicas, untilMs: 0, acts: [] };
    const world = await World.make(history, checker, { isTold: true, services });
    checker.watch({
      nodes: () => world.nodes.values(),
      now: () => world.time.now,
      story: world.story,
      heartbeatMs: DEFAULTS.heartbeatMs,
    });
    world.came = (node, state) => checker.came(node, state);
    world.afterStep = () => checker.check();
    const play = new Play(world, checker);
    await world.begin();
    for (const node of world.nodes.values()) play.#watchDisk(node);
    const all = [...world.nodes.keys()];
    if (all.length > 0) await play.until("all are heard and well", () => play.areServing(all));
    return play;
  }

  private constructor(world: World, checker: Checker) {
    this.world = world;
    this.#checker = checker;
  }

  /** The coordinator's services, as its doors see them. */
  get baton(): Coordinator {
    const { services } = this.world.coordinator;
    if (services === null) throw new Error("the coordinator is down");
    return services;
  }

  /** Names of those coordinators that decide right now. */
  seated(): readonly string[] {
    return this.world.coordinators.filter(({ isUp }) => isUp).map(({ name }) => name);
  }

  /** The one that decides, and one that does not. */
  get replicas(): { readonly first: CoordinatorMachine; readonly other: CoordinatorMachine } {
    const first = this.world.coordinators.find(({ isUp }) => isUp);
    const other = this.world.coordinators.find(({ isUp, services }) => !isUp && services !== null);
    if (first === undefined || other === undefined) throw new Error("there are not two coordinators");
    return { first, other };
  }

  /** How many writes of this coordinator have become durable. */
  writes(name: string): number {
    return this.world.coordinators.find((each) => each.name === name)?.writes ?? 0;
  }

  /** The wall clock of the coordinator. */
  get wall(): number {
    return this.world.coordinator.clock.now();
  }

  // Waiting.

  pass(ms: number): Promise<void> {
    return this.world.pass(ms);
  }

  /** Lets time pass until it is so; fails when it never is. */
  async until(
    what: string,
    isSo: () => boolean | Promise<boolean>,
    withinMs: number = minutes(15),
  ): Promise<void> {
    const from = this.world.time.now;
    while (!(await isSo())) {
      const waited = this.world.time.now - from;
      if (waited >= withinMs)
        throw new Error(`never within ${withinMs / 1000} s: ${what}. ${await this.#situation()}`);
      await this.world.pass(lookAfter(waited));
    }
  }

  /** Lets so much time pass, in which it is so all the time. */
  async stays(what: string, isSo: () => boolean | Promise<boolean>, ms: number): Promise<void> {
    const from = this.world.time.now;
    for (let waited = 0; waited < ms; waited = this.world.time.now - from) {
      if (!(await isSo())) throw new Error(`it is not so any more: ${what}. ${await this.#situation()}`);
      await this.world.pass(lookAfter(waited));
    }
  }

  // An operator's requests.

  /** What is answered; a refusal fails the scenario. */
  async ask<T>(run: (baton: Coordinator) => Answer<T>): Promise<T> {
    return must(await this.world.whileTimePasses(run(this.baton)));
  }

  /** With what it is refused; an answer fails the scenario. */
  async refused(run: (baton: Coordinator) => Answer<unknown>): Promise<Refusal> {
    const answer = await this.world.whileTimePasses(run(this.baton));
    if (answer.ok) throw new Error(`it was not refused: ${JSON.stringify(answer.value)}`);
    return answer.error;
  }

  publish(version: string, manner: Manner = "good", more: { minVersion?: string } = {}): SimBuild {
    const build = makeBuild(version, manner, more);
    this.world.builds.publish(build);
    return build;
  }

  /** To all, in one stage, unless told otherwise. */
  rollOut(
    release: string,
    {
      policy,
      ...request
    }: Partial<Omit<StartRolloutRequest, "policy">> & { policy?: Partial<RolloutPolicy> } = {},
  ): Promise<Rollout> {
    return this.ask((baton) =>
      baton.rollouts.start(OPERATOR, {
        selection: { all: true },
        release,
        policy: { stages: [1], pauseMs: 0, ...policy },
        ...request,
      }),
    );
  }

  start(kind: JobKind, name: string, options: StartOptions = {}): Promise<Job> {
    return this.ask((baton) => baton.nodes.start(OPERATOR, this.idOf(name), kind, options));
  }

  // What is shown.

  machine(name: string): NodeMachine {
    const machine = this.world.nodes.get(name);
    if (machine === undefined) throw new Error(`there is no ${name}`);
    return machine;
  }

  idOf(name: string): string {
    return this.machine(name).nodeId;
  }

  node(name: string): Promise<Node> {
    return this.ask((baton) => baton.nodes.get(this.idOf(name)));
  }

  job(id: string): Promise<Job> {
    return this.ask((baton) => baton.jobs.get(id));
  }

  rollout(id: string): Promise<Rollout> {
    return this.ask((baton) => baton.rollouts.get(id));
  }

  /** The newest job of a machine. */
  async jobOf(name: string): Promise<Job> {
    const [newest] = (await this.baton.jobs.list({ nodeId: this.idOf(name), limit: 1 })).jobs;
    if (newest === undefined) throw new Error(`${name} never had a job`);
    return newest;
  }

  async areServing(names: readonly string[]): Promise<boolean> {
    const shown = new Map((await this.baton.nodes.list({})).map((node) => [node.name, node]));
    return names.every((name) => shown.get(name)?.serving === true);
  }

  /** Which version every machine runs, by its own account. */
  running(): Readonly<Record<string, string | null>> {
    const machines = [...this.world.nodes.values()];
    return Object.fromEntries(machines.map(({ name, running }) => [name, running?.build.version ?? null]));
  }

  /** What became of every node of a rollout. */
  async fates(id: string): Promise<Readonly<Record<string, string>>> {
    const { nodes } = await this.rollout(id);
    return Object.fromEntries(nodes.map(({ name, status }) => [name, status]));
  }

  async openAlerts(): Promise<readonly string[]> {
    return (await this.baton.alerts.list({ state: "open" })).map(({ kind }) => kind).sort();
  }

  async done(rolloutId: string, status: Rollout["status"] = "completed"): Promise<Rollout> {
    await this.until(
      `${rolloutId} is ${status}`,
      async () => (await this.rollout(rolloutId)).status === status,
    );
    return this.rollout(rolloutId);
  }

  async ended(jobId: string, status: Job["status"] = "succeeded"): Promise<Job> {
    await this.until(`${jobId} has ${status}`, async () => (await this.job(jobId)).status === status);
    return this.job(jobId);
  }

  /** Every event from now on, or from a position on. */
  follow(after: string | null = null, at: CoordinatorMachine = this.world.coordinator): Promise<Followed> {
    if (at.services === null) throw new Error(`coordinator ${at.name} is down`);
    return Followed.open(at.services, after);
  }

  // What befalls the world.

  /** A machine that has joined, and is switched on. */
  async joins(
    name: string,
    group: string,
    { approved = true, voter = true, runs = "1.0.0" } = {},
  ): Promise<NodeMachine> {
    const build = this.#build(runs);
    const setup = { name, voter, mode: "websocket", rate: 1, wallOff: 0, canHandOver: false } as const;
    const machine = await this.world.join(group, setup, build, { autoApprove: approved });
    machine.boot();
    this.#watchDisk(machine);
    return machine;
  }

  /** The machine burnt, and another took its place and its credential, with nothing but the seed on its disk. */
  setUpAnew(name: string, runs: string): NodeMachine {
    const { nodeId, credential, group, parts } = this.machine(name);
    const anew = this.world.machine(
      group,
      { ...parts, voter: true, name: `${name}-anew` },
      this.#build(runs),
    );
    this.world.nodes.set(anew.name, Object.assign(anew, { nodeId, credential, group }));
    anew.boot();
    this.#watchDisk(anew);
    return anew;
  }

  /** When a machine's update has come to this state, at once; what follows from it is still to come. */
  async untilEnters(name: string | null, state: string): Promise<string> {
    let who: string | null = null;
    this.world.entered = (node, to) => {
      if (to === state && (name === null || node === name)) who ??= node;
    };
    const by = this.world.time.now + minutes(15);
    while (who === null) {
      if (!(await this.world.time.step(by))) throw new Error(`${name ?? "nobody"} never came to ${state}`);
      await this.world.afterStep();
    }
    this.world.entered = () => undefined;
    return who;
  }

  /** The states that a machine's update comes to from now on. */
  statesOf(name: string): readonly string[] {
    const states: string[] = [];
    this.world.entered = (node, to) => {
      if (node === name) states.push(to);
    };
    return states;
  }

  cutOff(name: string, direction: "both" | "to-coordinator" | "to-node" = "both"): void {
    const { network } = this.world;
    if (direction !== "to-node") network.cut(name, "to-coordinator");
    if (direction !== "to-coordinator") network.cut(name, "to-node");
  }

  reconnect(name: string): void {
    this.world.network.heal(name, "to-coordinator");
    this.world.network.heal(name, "to-node");
  }

  /** The coordinator is gone for so long, and another process takes over what it left. */
  async restartCoordinator(awayMs: number = seconds(5)): Promise<void> {
    await this.world.outside(this.world.coordinator.crash());
    await this.pass(awayMs);
    await this.startCoordinator();
  }

  async startCoordinator(): Promise<void> {
    const { coordinator } = this.world;
    await this.world.outside(coordinator.start());
    await this.until("the coordinator is up", () => coordinator.isUp, seconds(10));
  }

  backUp(): Promise<void> {
    return this.world.outside(this.world.storage.backup(this.world.coordinator.stored));
  }

  /** The coordinator goes on from its last backup. */
  async restore(): Promise<void> {
    await this.world.outside(this.world.restore());
    await this.startCoordinator();
  }

  /** Waits for what comes over a real network, which the world's time knows nothing of. */
  async arrives(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
    const look = async (): Promise<boolean> => {
      await new Promise(setImmediate);
      return isSo();
    };
    await this.until(what, look);
  }

  end(): Promise<void> {
    return this.world.end();
  }

  #build(version: string): SimBuild {
    const build = [...this.world.builds.all.values()].find((made) => made.build.version === version);
    if (build === undefined) throw new Error(`nobody made ${version}`);
    return build;
  }

  #watchDisk(node: NodeMachine): void {
    node.disk.watch = (effect, path) => this.#checker.machines.changed(node, effect, path);
  }

  async #situation(): Promise<string> {
    if (!this.world.coordinator.isUp) return "The coordinator is down.";
    const [nodes, rollouts] = await Promise.all([this.baton.nodes.list({}), this.baton.rollouts.list()]);
    const shown = nodes.map(({ name, presence, reason }) => `${name} ${presence} ${reason?.code ?? ""}`);
    return [
      ...shown,
      ...rollouts.map(({ id, status, reason }) => `${id} ${status} ${reason?.message ?? ""}`),
    ].join("; ");
  }
}
