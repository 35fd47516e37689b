/**
 * One machine: its disk, its clock, systemd with the guard and the launcher, and one process of the agent after the
 * other. Whatever can happen to a machine can happen to it between any two effects.
 */

import { hasCode } from "../../agent/effects/durable.ts";
import type { Agent } from "../../agent/runner.ts";
import { releaseName } from "../../protocol/build.ts";
import { layDown, type Manner, type SimBuild } from "./builds.ts";
import { MachineClock } from "./clock.ts";
import { MachineDisk } from "./disk.ts";
import type { GuardWorld, ProcessRecord } from "./guard.ts";
import { agentOf, isOnTrial, leaveReady } from "./life.ts";
import { type Life, type NodeParts, ROOT } from "./node-parts.ts";
import { uuidOf } from "./random.ts";
import { newDir, type PowerCut } from "./tree.ts";

export { GUARD, type Guard, ROOT } from "./node-parts.ts";

const RESTART_MS = 100;
const START_TIMEOUT_MS = 20_000;
const WATCHDOG_MS = 30_000;
const STOP_TIMEOUT_MS = 30_000;
const DEADLINE_EVERY_MS = 15_000;
/** How builds end that never come as far as running. */
const ENDS_AT_START: Readonly<Partial<Record<Manner, string>>> = {
  "crashes-at-start": "exits with status 1",
  "exits-at-once": "exits with status 0",
  "hangs-before-ready": "start timed out",
};
const BACK_OFF_S = [0, 0, 0, 1, 2, 5, 10, 30];

export class NodeMachine {
  readonly name: string;
  readonly disk: MachineDisk;
  readonly clock: MachineClock;
  readonly parts: NodeParts;
  credential = "";
  nodeId = "";
  group = "";
  power: "on" | "off" | "gone" = "off";
  unit: "started" | "stopped" = "stopped";
  #life: Life | null = null;
  #lives = 0;
  #boots = 0;
  #record: (ProcessRecord & { readonly crashes: number }) | null = null;
  /** A frozen process of a machine that runs: it hears and does nothing. */
  #hungUntil = 0;

  constructor(parts: NodeParts) {
    this.parts = parts;
    this.name = parts.name;
    this.clock = new MachineClock(parts.time, parts.rate, parts.wallOff);
    this.disk = new MachineDisk({ clock: this.clock, random: parts.random });
    const { tree } = this.disk;
    for (const dir of ["/var", "/var/lib", ROOT, `${ROOT}/releases`]) {
      tree.create(dir, newDir());
      tree.sync(tree.dirOf(dir).dir);
    }
    layDown(tree, ROOT, parts.runs);
    tree.create(`${ROOT}/dist`, { kind: "link", target: `releases/${releaseName(parts.runs.build)}` });
    tree.sync(tree.get(ROOT, true));
  }

  get agent(): Agent | null {
    return this.#life?.process?.agent ?? null;
  }

  get instanceId(): string | null {
    return this.#life?.alive === true ? this.#life.instanceId : null;
  }

  /** What the process runs; null while there is none. */
  get running(): SimBuild | null {
    return this.#life?.alive === true && this.#life.process !== null ? this.#life.build : null;
  }

  boot(): void {
    if (this.power !== "off") return;
    this.power = "on";
    this.unit = "started";
    this.#boots += 1;
    this.#record = null;
    this.clock.boot();
    this.parts.story.tell(this.name, "boots");
    this.#startUnit(this.parts.random.int(500, 5_000));
    this.#watchDeadline(this.#boots);
  }

  /** The power fails, or the machine is reset. */
  cutPower(how: PowerCut): void {
    if (this.power !== "on") return;
    this.power = "off";
    this.parts.story.tell(this.name, `loses power (${how})`);
    this.#endLife(false);
    this.disk.tree.cutPower(this.parts.random, how);
    this.disk.watch("power", ROOT);
  }

  /** It never comes back. */
  vanish(): void {
    if (this.power === "on") this.cutPower("all-lost");
    this.power = "gone";
    this.parts.story.tell(this.name, "is gone for good");
  }

  /** The process is killed; systemd starts another one. */
  kill(why: string): void {
    if (this.#life === null || this.power !== "on") return;
    this.parts.story.tell(this.name, `process dies: ${why}`);
    this.#ended(this.#life);
  }

  /** Takes part in nothing until it wakes; systemd's watchdog ends it when that takes too long. */
  hang(ms: number): void {
    const life = this.#life;
    if (life === null || life.process === null) return;
    this.parts.story.tell(this.name, `hangs for ${ms} ms`);
    // What hangs already is not brought back by hanging again.
    this.#hungUntil = Math.max(this.#hungUntil, this.parts.time.now + ms);
    this.parts.time.after(WATCHDOG_MS, () => {
      if (this.#life === life && life.alive && this.parts.time.now < this.#hungUntil) this.kill("watchdog");
    });
  }

  suspend(ms: number): void {
    if (this.power !== "on" || this.clock.isAsleep) return;
    this.parts.story.tell(this.name, `is suspended for ${ms} ms`);
    this.clock.sleep();
    this.parts.time.after(ms, () => this.clock.wake());
  }

  /** As `systemctl stop` does. */
  stopUnit(): void {
    if (this.power !== "on" || this.unit === "stopped") return;
    this.unit = "stopped";
    this.parts.story.tell(this.name, "unit is stopped");
    const life = this.#life;
    this.#record = null;
    if (life === null) return;
    const { agent } = life.process ?? {};
    if (agent === undefined) {
      this.#endLife(true);
      return;
    }
    const guard = this.#guardWorld(() => this.power === "on");
    this.parts.time.must(
      this.parts.guard.stop(guard).then(
        () => this.#reach(life, () => agent.stop()),
        (cause: unknown) => {
          if (!hasCode(cause, "EIO") && !hasCode(cause, "EROFS") && !hasCode(cause, "ENOENT")) throw cause;
          this.#reach(life, () => agent.stop());
        },
      ),
    );
    this.clock.after(STOP_TIMEOUT_MS, () => {
      if (this.#life === life && life.alive) this.#endLife(true);
    });
  }

  startUnit(): void {
    if (this.power !== "on" || this.unit === "started") return;
    this.parts.story.tell(this.name, "unit is started");
    // A stop that is still under way comes first.
    this.#endLife(true);
    this.unit = "started";
    this.#startUnit(10);
  }

  get isFrozen(): boolean {
    return this.clock.isAsleep || this.parts.time.now < this.#hungUntil;
  }

  #startUnit(delayMs: number): void {
    this.#lives += 1;
    const life: Life = {
      id: this.#lives,
      alive: true,
      process: null,
      instanceId: null,
      build: null,
      endings: [],
    };
    this.#life = life;
    this.#hungUntil = 0;
    const isAlive = () => life.alive;
    this.clock.after(delayMs, () => {
      if (!life.alive) return;
      const guarded = this.parts.guard.start(this.#guardWorld(isAlive)).catch((cause: unknown) => {
        // ExecStartPre=- : a guard that fails is gone on after.
        if (!(cause instanceof Error) || !("code" in cause)) throw cause;
      });
      this.parts.time.must(guarded.then(() => this.#launch(life)));
    });
  }

  async #launch(life: Life): Promise<void> {
    if (!life.alive) return;
    const disk = this.disk.portFor(() => life.alive);
    const link = await disk.readlink(`${ROOT}/dist`);
    const build = this.parts.builds.named(link);
    if (build === undefined) throw new Error(`${this.name}: dist names ${link}`);
    const crashes = this.#crashesOf(link);
    await this.#wait(life, (BACK_OFF_S[Math.min(crashes, 7)] ?? 30) * 1_000);
    this.#record = {
      uptimeSeconds: Math.floor(this.clock.uptime() / 1000),
      release: link.slice("releases/".length),
      crashes,
    };
    await this.#wait(life, this.parts.random.int(60, 300));
    life.build = build;
    if (build.manner === "hangs-before-ready") await this.#wait(life, START_TIMEOUT_MS);
    const end = ENDS_AT_START[build.manner];
    if (end === undefined) await this.#run(life, build);
    else this.kill(end);
  }

  #crashesOf(link: string): number {
    const record = this.#record;
    if (record === null || `releases/${record.release}` !== link) return 0;
    const ran = Math.floor(this.clock.uptime() / 1000) - record.uptimeSeconds;
    return (ran >= 60 ? 0 : record.crashes) + 1;
  }

  async #run(life: Life, build: SimBuild): Promise<void> {
    const { parts } = this;
    life.instanceId = uuidOf(parts.random);
    const wait = (ms: number) => this.#wait(life, ms);
    const process = agentOf(this, life, build, {
      boot: this.#boots,
      instanceId: life.instanceId,
      wait,
      reach: (run) => this.#reach(life, run),
    });
    const { agent } = process;
    parts.time.must(
      agent.finished.then(({ code }) => {
        if (!life.alive) return;
        parts.story.tell(this.name, `exits with status ${code}`);
        this.#ended(life);
      }),
    );
    let started: Awaited<ReturnType<Agent["start"]>>;
    try {
      started = await agent.start();
    } catch (cause) {
      // A disk that fails at the start ends the process; it is started again.
      if (!(cause instanceof Error) || !("code" in cause)) throw cause;
      return this.#failStart(life, cause.message);
    }
    if (!started.ok) return this.#failStart(life, started.error.message);
    life.process = process;
    process.connect();
    await leaveReady(this, life);
    if (build.manner === "hangs-after-ready") this.hang(1_000_000);
    if (build.manner === "crashes-later") {
      await wait(parts.random.int(2_000, 20_000));
      // A build is no worse once it is kept than it was on trial, or no history would ever end.
      if (!isOnTrial(this)) return;
      this.kill("crashes");
    }
  }

  #failStart(life: Life, why: string): void {
    if (!life.alive) return;
    this.parts.story.tell(this.name, `cannot start: ${why}`);
    this.#ended(life);
  }

  /** The life is over; systemd begins the next one, unless somebody has stopped the unit. */
  #ended(life: Life): void {
    if (!life.alive) return;
    this.#endLife(true);
    if (this.unit === "started" && this.power === "on") this.#startUnit(RESTART_MS);
  }

  #endLife(closesConnections: boolean): void {
    const life = this.#life;
    if (life === null) return;
    life.alive = false;
    this.#life = null;
    this.parts.cluster.leave(this.name);
    if (closesConnections) for (const run of life.endings) run();
  }

  #reach(life: Life, run: () => void): void {
    this.clock.reach(() => {
      if (!life.alive) return;
      const { time } = this.parts;
      if (time.now < this.#hungUntil) time.at(this.#hungUntil, () => this.#reach(life, run));
      else run();
    });
  }

  #wait(life: Life, ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.clock.after(ms, () => {
        if (life.alive) this.#reach(life, resolve);
      });
    });
  }

  #guardWorld(isAlive: () => boolean): GuardWorld {
    return {
      disk: this.disk.portFor(isAlive),
      root: ROOT,
      say: (code) => {
        this.parts.count(`guard: ${code}`);
        this.parts.story.tell(this.name, `guard: ${code}`);
      },
    };
  }

  /** The deadline's timer, for as long as this boot lasts. */
  #watchDeadline(boot: number): void {
    this.clock.after(DEADLINE_EVERY_MS, () => {
      if (this.#boots !== boot || this.power !== "on") return;
      const life = this.#life;
      if (this.disk.tree.find(`${ROOT}/state/trial`, false) !== null) {
        const seconds = Math.floor(this.clock.uptime() / 1000);
        const guard = this.#guardWorld(() => this.power === "on" && this.#boots === boot);
        const asked = this.parts.guard.deadline(guard, life === null ? null : this.#record, seconds).then(
          (kills) => {
            if (kills && life !== null && life === this.#life) this.kill("deadline");
          },
          (cause: unknown) => {
            if (!(cause instanceof Error) || !("code" in cause)) throw cause;
          },
        );
        this.parts.time.must(asked);
      }
      this.#watchDeadline(boot);
    });
  }
}
