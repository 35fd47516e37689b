/**
 * One node in a directory: the real guard and the real agent, one process after the other, on a disk of which every
 * effect is told, and of which what is safe from a power cut is known.
 */
import { mkdirSync, rmSync } from "node:fs";
import { DEFAULT_POLICY } from "../../agent/core/machine/facts.ts";
import { layoutOf } from "../../agent/effects/layout.ts";
import { silentLog } from "../../agent/effects/log.ts";
import { createNotifier } from "../../agent/effects/notify.ts";
import { type Agent, createAgent } from "../../agent/runner.ts";
import { ok } from "../../protocol/result.ts";
import type { ManualScheduler } from "../agent/manual-scheduler.ts";
import { type RigCoordinator, SESSION } from "../agent/rig-coordinator.ts";
import { type Effect, showEffect } from "./effect.ts";
import type { Fixture, Made } from "./fixture.ts";
import { type Guard, type GuardCommand, perform } from "./guard.ts";
import { interpose } from "./interpose.ts";
import { clockAt, type PreparerParts, preparerOf, rebooted, startOf, workloadOf } from "./parts.ts";
import type { Behaviour, Side, Story } from "./story.ts";
import { syncDisk } from "./sync-disk.ts";
import { textAt, writeTree } from "./tree.ts";
import { Unsynced } from "./unsynced.ts";
import type { Ground, NodeParts, NodeState, Watch, Who } from "./watch.ts";

const SIDES: readonly Side[] = ["z", "a", "b", "c"];
const MAX_LIVES = 14;
const MAX_TURNS = 2_000;

export class Node {
  readonly fixture: Fixture;
  readonly story: Story;
  readonly dir: string;
  readonly coordinator: RigCoordinator;
  disk: Unsynced;
  bootId: string;
  stops = 0;
  lives = 0;
  /** Effects of this node since it was set up, numbered from 1. */
  points = 0;
  /** Commands of the guard so far. */
  guardCommands = 0;
  /** What happened, for whoever has to understand a failure. */
  readonly told: string[] = [];
  readonly #guard: Guard;
  readonly #watch: Watch;
  readonly #ground: Ground;
  #clock: ManualScheduler;
  /** Preparations that are under way: all else is done when it is begun. */
  #underWay = 0;
  #heard: string;

  /** `dir` is an empty directory, or one that another node had. */
  constructor(parts: NodeParts, from: NodeState) {
    const { fixture, story, dir, guard, watch, ground } = parts;
    this.fixture = fixture;
    this.story = story;
    this.dir = dir;
    this.disk = from.disk;
    this.coordinator = from.coordinator;
    this.bootId = from.bootId;
    this.stops = from.stops;
    this.#guard = guard;
    this.#watch = watch;
    this.#ground = ground ?? { disk: syncDisk, underWay: () => 0, idle: () => Promise.resolve() };
    this.#clock = clockAt(from.uptime);
    this.#heard = this.coordinator.digest;
    if (ground === undefined) this.#layOut();
  }

  /** What `dist` names. */
  get running(): Side {
    const link = this.disk.linkAt("dist");
    const found = SIDES.find((side) => this.fixture[side].link === link);
    if (found === undefined) throw new Error(`dist names ${link}`);
    return found;
  }

  get uptime(): number {
    return this.#clock.uptime();
  }

  get state(): NodeState {
    return {
      disk: this.disk.copy(),
      coordinator: this.coordinator.copy(),
      bootId: this.bootId,
      uptime: this.uptime,
      stops: this.stops,
    };
  }

  /** One process after the other, until one has nothing left to do; false when the watch has ended it. */
  async untilRest(): Promise<boolean> {
    for (let life = 1; life <= MAX_LIVES; life++) {
      this.lives += 1;
      if (this.#watch.begins?.(this) === false) return false;
      await this.#runGuard("start");
      const behaviour = this.story.builds?.[this.running] ?? {};
      this.told.push(`-- ${this.#running().build.version} starts`);
      if (behaviour.crashes === "machine") this.#cutPower();
      if (behaviour.crashes !== undefined) continue;
      if (await this.#live(behaviour)) return true;
    }
    throw new Error(`it did not come to rest in ${MAX_LIVES} lives`);
  }

  /** True when it rests, false when it has ended. */
  async #live(behaviour: Behaviour): Promise<boolean> {
    const { coordinator, fixture, dir } = this;
    const { build } = this.#running();
    const instanceId = this.#freshInstanceId();
    this.#clock.forget();
    const life = { isOver: false };
    const bare = interpose(this.#ground.disk, this.dir, (effect, run, half) =>
      life.isOver ? NEVER : this.#effect(effect, run, "agent", half),
    );
    const disk = this.#watch.mutate?.(bare, dir) ?? bare;
    const agent = createAgent({
      disk,
      clock: this.#clock,
      scheduler: this.#clock,
      log: silentLog,
      lease: coordinator.leaseFor(build, instanceId, () => !life.isOver),
      preparer: this.#counted({ fixture, disk, dir, clock: this.#clock, running: build.version }),
      workload: workloadOf(behaviour),
      stateDir: this.dir,
      running: build,
      instanceId,
      bootId: this.bootId,
      policy: DEFAULT_POLICY,
      trial: { tries: 4, refunds: 1 },
      healthEveryMs: 2_000,
      lock: async () => ok({ release: async () => undefined }),
    });
    const ended: { code: number | null } = { code: null };
    void agent.finished.then(({ code }) => {
      ended.code = code;
    });
    const started = await startOf(agent);
    if (!started) return false;
    const notifier = createNotifier({
      disk,
      env: {},
      pid: 1,
      trialDir: layoutOf(this.dir).trial,
      log: silentLog,
    });
    await notifier.ready();
    const connects = behaviour.connects !== false;
    if (connects) agent.sessionOpened(SESSION);
    let said = "";
    for (let turns = 0; turns < MAX_TURNS; ) {
      await this.#settled();
      if (ended.code !== null) return false;
      turns += 1;
      const parts = agent.heartbeatParts();
      if (parts.update.state === "probation" && this.stops < (behaviour.stopped ?? 0)) {
        await this.#stop(agent);
        continue;
      }
      if (connects && parts.update.state !== "exiting") {
        const orders = coordinator.heartbeat(parts, build, instanceId);
        const heard = JSON.stringify([parts, orders]);
        if (heard !== said) {
          said = heard;
          this.#coordinatorHeard();
          agent.receive(orders);
          continue;
        }
      }
      const isDone = parts.update.state === "idle" && parts.finalWords.length === 0;
      const isFree = coordinator.lease === null && coordinator.desired === null;
      if (isDone && (!connects || isFree)) return true;
      if (this.#watch.kills?.(this, turns) === true) {
        this.told.push("-- it is killed");
        life.isOver = true;
        return false;
      }
      this.#clock.turnToNext();
    }
    throw new Error(`it neither ended nor rested: ${JSON.stringify(agent.status())}`);
  }

  async #stop(agent: Agent): Promise<void> {
    this.stops += 1;
    this.told.push("-- an operator stops the unit");
    await this.#runGuard("stop");
    agent.stop();
  }

  async #runGuard(command: GuardCommand): Promise<void> {
    const disk = interpose(this.#ground.disk, this.dir, async (_, run) => run());
    const { effects, commands } = this.#guard(this.disk.tree, command, this.#watch.beforeGuard?.(this));
    this.guardCommands += commands;
    for (const effect of effects) {
      await this.#effect(effect, () => perform(disk, this.dir, effect), "guard");
    }
  }

  async #effect(
    effect: Effect,
    run: () => Promise<void>,
    who: Who,
    half?: () => Promise<void>,
  ): Promise<void> {
    // A lease call between two effects has changed what the coordinator knows.
    this.#coordinatorHeard();
    try {
      this.#watch.before?.(this, effect, who);
    } catch (cause) {
      this.told.push(`-- the disk fails: ${showEffect(effect)}: ${String(cause)}`);
      if (effect.kind === "write") {
        await half?.();
        this.disk.apply({ ...effect, data: effect.data.subarray(0, effect.data.length >> 1) });
      }
      throw cause;
    }
    await run();
    this.disk.apply(effect);
    this.points += 1;
    this.told.push(`${this.points} ${who === "guard" ? "guard: " : ""}${showEffect(effect)}`);
    this.#watch.after?.(this, effect, who);
  }

  #coordinatorHeard(): void {
    const now = this.coordinator.digest;
    if (now === this.#heard) return;
    this.#heard = now;
    const { lease, words } = this.coordinator;
    this.told.push(
      `-- the coordinator: lease ${lease?.phase ?? "free"}, words ${words.join(", ") || "none"}`,
    );
    this.#watch.after?.(this, null, "agent");
  }

  #cutPower(): void {
    this.told.push("-- the power is cut");
    this.disk = Unsynced.of(this.disk.safeTree);
    this.bootId = rebooted(this.disk);
    this.#clock = clockAt(0);
    this.#layOut();
  }

  #layOut(): void {
    rmSync(this.dir, { recursive: true, force: true });
    mkdirSync(this.dir);
    writeTree(this.disk.tree, this.dir);
  }

  #running(): Made {
    return this.fixture[this.running];
  }

  /** One that neither the disk nor the coordinator has heard of; the same again where it does not matter. */
  #freshInstanceId(): string {
    const { tree } = this.disk;
    const used = `${textAt(tree, "state/journal.json")}${textAt(tree, "state/trial/swap")}${this.coordinator.digest}`;
    const numbered = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
    let n = 1;
    while (used.includes(numbered(n))) n += 1;
    return numbered(n);
  }

  /** What was begun is done, and what followed from it has begun nothing new. */
  async #settled(): Promise<void> {
    do {
      await this.#ground.idle();
      await new Promise(setImmediate);
    } while (this.#underWay > 0 || this.coordinator.underWay > 0 || this.#ground.underWay() > 0);
  }

  /** What is prepared is under way until it is done. */
  #counted(parts: PreparerParts) {
    const preparer = preparerOf(parts);
    return {
      prepare: async (...what: Parameters<typeof preparer.prepare>) => {
        this.#underWay += 1;
        try {
          return await preparer.prepare(...what);
        } finally {
          this.#underWay -= 1;
        }
      },
    };
  }
}

const NEVER = new Promise<never>(() => undefined);
