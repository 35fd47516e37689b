/**
 * One node in a directory: the real guard and the real agent, one process after the other, on a disk of which every
 * effect is told, and of which what is safe from a power cut is known.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_POLICY } from "../../agent/core/machine/facts.ts";
import type { WorkloadControl } from "../../agent/core/ports.ts";
import type { Disk } from "../../agent/effects/disk.ts";
import { downloadBundle, removeDownload } from "../../agent/effects/download.ts";
import { layoutOf } from "../../agent/effects/layout.ts";
import { silentLog } from "../../agent/effects/log.ts";
import { createNotifier } from "../../agent/effects/notify.ts";
import { createPreparer } from "../../agent/effects/prepare.ts";
import { refreshTrust } from "../../agent/effects/trust/refresh.ts";
import { resolveBundle } from "../../agent/effects/trust/releases.ts";
import { type Agent, createAgent } from "../../agent/runner.ts";
import { err, ok } from "../../protocol/result.ts";
import { ManualScheduler } from "../agent/manual-scheduler.ts";
import { type RigCoordinator, SESSION } from "../agent/rig-coordinator.ts";
import { METADATA_URL, NOW } from "../trust/simulator.ts";
import { type Effect, showEffect } from "./effect.ts";
import { BUNDLES_ORIGIN, type Fixture, type Made, PLATFORM } from "./fixture.ts";
import type { Guard, GuardCommand } from "./guard.ts";
import { interpose } from "./interpose.ts";
import type { Behaviour, Side, Story } from "./story.ts";
import { syncDisk } from "./sync-disk.ts";
import { textAt, writeTree } from "./tree.ts";
import { Unsynced } from "./unsynced.ts";

export type Who = "agent" | "guard";

/** A node at one moment between two processes. */
export type NodeState = {
  readonly disk: Unsynced;
  readonly coordinator: RigCoordinator;
  readonly bootId: string;
  /** Time since that boot, as its clock shows. */
  readonly uptime: number;
  /** Of builds that are stopped: how often they were. */
  readonly stops: number;
};

/** Looks on. */
export type Watch = {
  /** Before an effect; whatever it rejects with is what the agent gets instead of the effect. */
  before?(node: Node, effect: Effect, who: Who): Promise<void> | void;
  /** Before each process; false when all that follows is known, and need not be lived once more. */
  begins?(node: Node): boolean;
  /** After each effect, and after the coordinator has heard something new (`null`). */
  after?(node: Node, effect: Effect | null, who: Who): void;
};

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
  /** Effects of this node since it was set up, numbered from 1. */
  points = 0;
  /** What happened, for whoever has to understand a failure. */
  readonly told: string[] = [];
  readonly #guard: Guard;
  readonly #watch: Watch;
  #clock: ManualScheduler;
  /** Preparations that are under way: all else is done when it is begun. */
  #underWay = 0;
  #heard: string;

  /** `dir` is an empty directory, or one that another node had. */
  constructor(
    {
      fixture,
      story,
      dir,
      guard,
      watch,
    }: {
      fixture: Fixture;
      story: Story;
      dir: string;
      guard: Guard;
      watch: Watch;
    },
    from: NodeState,
  ) {
    this.fixture = fixture;
    this.story = story;
    this.dir = dir;
    this.disk = from.disk;
    this.coordinator = from.coordinator;
    this.bootId = from.bootId;
    this.stops = from.stops;
    this.#guard = guard;
    this.#watch = watch;
    this.#clock = clockAt(from.uptime);
    this.#heard = this.coordinator.digest;
    this.#layOut();
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
    const { coordinator } = this;
    const { build } = this.#running();
    const instanceId = this.#freshInstanceId();
    this.#clock.forget();
    const disk = interpose(syncDisk, this.dir, (effect, run) => this.#effect(effect, run, "agent"));
    const agent = createAgent({
      disk,
      clock: this.#clock,
      scheduler: this.#clock,
      log: silentLog,
      lease: coordinator.leaseFor(build, instanceId, () => true),
      preparer: this.#preparer(disk),
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
    const started = await agent.start();
    if (!started.ok) throw new Error(started.error.message);
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
    const disk = interpose(syncDisk, this.dir, async (_, run) => run());
    for (const effect of this.#guard(this.disk.tree, command)) {
      await this.#effect(effect, () => perform(disk, this.dir, effect), "guard");
    }
  }

  async #effect(effect: Effect, run: () => Promise<void>, who: Who): Promise<void> {
    // A lease call between two effects has changed what the coordinator knows.
    this.#coordinatorHeard();
    await this.#watch.before?.(this, effect, who);
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
    do await new Promise(setImmediate);
    while (this.#underWay > 0 || this.coordinator.underWay > 0);
  }

  /** As `agent/preparer.ts` puts it together, less the processes that it starts. */
  #preparer(disk: Disk) {
    const { publisher, pinnedRoot, dispatcher } = this.fixture;
    const layout = layoutOf(this.dir);
    const preparer = createPreparer({
      disk,
      layout,
      host: { platform: PLATFORM, nodeVersion: process.versions.node, protocol: 1 },
      running: this.#running().build.version,
      resolve: async (desired) => {
        const trusted = await refreshTrust({
          disk,
          stateDir: layout.state,
          pinnedRoot,
          metadataUrl: METADATA_URL,
          fetch: publisher.fetch,
          now: () => NOW,
          builtAt: 0,
          timeoutMs: 5_000,
        });
        if (!trusted.ok) return trusted;
        if (desired.build === null) return err({ code: "no-build", message: "No build was named." });
        return resolveBundle(trusted.value.bundles, desired.build, PLATFORM);
      },
      download: ({ sha256, bytes }, { signal }) =>
        downloadBundle({
          disk,
          dir: layout.download,
          url: `${BUNDLES_ORIGIN}/${sha256}`,
          sha256,
          bytes,
          dispatcher,
          timeoutMs: 5_000,
          uptime: () => this.#clock.uptime(),
          wait: async () => undefined,
          signal,
        }),
      removeDownload: ({ sha256 }) => removeDownload(disk, layout.download, sha256),
      selfTest: async () => ok(undefined),
      random: () => 0,
      wait: async () => undefined,
    });
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

/** The name of a boot that is not the one in which the trial on this disk was made. */
export const rebooted = (disk: Unsynced): string =>
  textAt(disk.tree, "state/trial/boot-id")?.trim() === "boot-2" ? "boot-1" : "boot-2";

const STARTED_AT = 1_000_000;

function clockAt(uptime: number): ManualScheduler {
  const clock = new ManualScheduler();
  if (uptime > STARTED_AT) clock.turn(uptime - STARTED_AT);
  return clock;
}

async function perform(disk: Disk, dir: string, effect: Effect): Promise<void> {
  const at = join(dir, effect.path);
  if (effect.kind === "unlink") await disk.unlink(at);
  else if (effect.kind === "rename") await disk.rename(join(dir, effect.from), at);
  else if (effect.kind === "symlink") await disk.symlink(effect.target, at);
  else if (effect.kind === "mkdir") await disk.mkdir(at, effect.mode);
  else if (effect.kind !== "fsync-dir") throw new Error(`the guard does not ${effect.kind}`);
}

function workloadOf({ healthy }: Behaviour): WorkloadControl {
  return {
    canHandOver: false,
    drainMs: 1_000,
    health: async () => ({ healthy: healthy !== false }),
    handover: async () => ok(undefined),
    drain: async () => ok(undefined),
    resume: async () => ok(undefined),
    start: async () => ok(undefined),
    stop: async () => undefined,
  };
}
