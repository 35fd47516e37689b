/** What the acts play on: a database, coordinators, a fleet, and an operator; and what they see of it. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RolloutSummary } from "../../protocol/rollout.ts";
import { type Entry, monotonicMs, readDiaries } from "../light-agents/diary.ts";
import { makeGroup } from "../light-agents/groups.ts";
import { Swarm } from "../light-agents/swarm.ts";
import { Coordinators } from "./coordinators.ts";
import { Database } from "./database.ts";
import { Operator } from "./operator.ts";

const COORDINATORS = 3;
const HEARTBEAT_MS = 500;
const RESTART_MS = [300, 700] as const;
/** As much faster than by default as the heartbeat is: a tenth. */
const RECONNECT_MS = [50, 1_000] as const;
/** Groups of these sizes, and so many of each. */
const GROUPS = [
  { voters: 5, groups: 6 },
  { voters: 3, groups: 8 },
] as const;
export const AGENTS = GROUPS.reduce((sum, { voters, groups }) => sum + voters * groups, 0);
/** Those of a group are in different ones, so that nobody but the diaries sees them together. */
const PROCESSES = 5;
const CONCURRENCY = 6;
const POLICY = { stages: [0.2, 1], pauseMs: 500, concurrency: CONCURRENCY, offline: "halt" };

export class Stage {
  readonly dir: string;
  readonly diaryDir: string;
  database!: Database;
  coordinators!: Coordinators;
  swarm!: Swarm;
  operator!: Operator;
  #releases = 0;

  static async set(): Promise<Stage> {
    const stage = new Stage(await mkdtemp(join(tmpdir(), "baton-ha-")));
    try {
      await stage.#set();
      return stage;
    } catch (error) {
      await stage.strike();
      throw error;
    }
  }

  private constructor(dir: string) {
    this.dir = dir;
    this.diaryDir = dir;
  }

  async #set(): Promise<void> {
    this.database = await Database.start(COORDINATORS);
    this.coordinators = await Coordinators.start(this.dir, this.database, HEARTBEAT_MS);
    this.swarm = new Swarm(PROCESSES);
    const made = GROUPS.flatMap(({ voters, groups }) =>
      Array.from({ length: groups }, (_, at) =>
        makeGroup(this.coordinators, `of-${voters}-${at}`, voters, "quorum"),
      ),
    );
    const nodes = (await Promise.all(made)).flat();
    await this.swarm.start(
      nodes.map((node) => [node]),
      {
        url: this.coordinators.url,
        build: this.coordinators.first,
        labels: { ha: "yes" },
        connects: true,
        diaryDir: this.diaryDir,
        fetchMs: 500,
        restartMs: RESTART_MS,
        patienceMs: 2_000,
        reconnectMs: RECONNECT_MS,
      },
    );
    await this.swarm.untilOnline(AGENTS, 60_000);
    this.operator = new Operator(this.coordinators);
  }

  async entries(): Promise<readonly Entry[]> {
    const names = (await readdir(this.diaryDir)).filter((name) => name.endsWith(".jsonl"));
    return readDiaries(names.map((name) => join(this.diaryDir, name)));
  }

  /** Resolves at the first grant that an agent notes from now on. */
  async nextGrant(): Promise<void> {
    const since = monotonicMs();
    for (let looks = 0; looks < 3_000; looks += 1) {
      if ((await this.entries()).some(({ what, atMs }) => what === "granted" && atMs > since)) return;
      await sleep(10);
    }
    throw new Error("nobody was given a lease for half a minute");
  }

  /** Publishes the next release and begins to roll it out; resolves when so many of the agents are through. */
  async roll(through: number): Promise<string> {
    this.#releases += 1;
    const release = `1.${this.#releases}.0`;
    await this.coordinators.publish(release);
    const body = { selection: { labels: { ha: "yes" } }, release, policy: POLICY };
    const { id } = await this.coordinators.call<{ id: string }>("POST", "/v1/rollouts", { body });
    await this.#until(id, 60_000, ({ counts }) => counts.succeeded >= through);
    return id;
  }

  /** Resolves when the rollout has ended by itself, and nobody is under way. Throws when it is stopped, or never ends. */
  async rolled(id: string, withinMs: number): Promise<void> {
    await this.#until(id, withinMs, ({ status }) => status === "completed");
    for (let looks = 0; looks < 200; looks += 1) {
      const { busy, online } = await this.swarm.counts();
      if (busy === 0 && online === AGENTS) return;
      await sleep(100);
    }
    throw new Error("not all agents are back and at rest");
  }

  /** What was begun and went wrong is ended, so that what comes next begins from rest. */
  async settle(): Promise<void> {
    const { rollouts } = await this.coordinators.call<{ rollouts: RolloutSummary[] }>(
      "GET",
      "/v1/rollouts?limit=1",
    );
    const [last] = rollouts;
    if (last !== undefined && last.status !== "completed")
      await this.coordinators.call("POST", `/v1/rollouts/${last.id}/cancel`);
    for (let looks = 0; looks < 300 && (await this.swarm.counts()).busy > 0; looks += 1) await sleep(100);
  }

  async #until(id: string, withinMs: number, isSo: (rollout: RolloutSummary) => boolean): Promise<void> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const rollout = await this.coordinators.call<RolloutSummary>("GET", `/v1/rollouts/${id}`);
      if (isSo(rollout)) return;
      const { status, counts, reason } = rollout;
      const says = `the rollout is ${status} (${counts.succeeded} of ${AGENTS} updated; ${reason?.message ?? ""})`;
      if (status !== "running" && status !== "pending" && status !== "completed") throw new Error(says);
      if (performance.now() > deadline) throw new Error(`${says} after ${Math.round(withinMs / 1000)} s`);
      await sleep(200);
    }
  }

  /** Ends all of it. May be called at any time. */
  async strike(): Promise<void> {
    this.swarm?.kill();
    await this.coordinators?.stop();
    await this.operator?.end();
    await this.database?.stop();
    await rm(this.dir, { recursive: true, force: true });
  }
}
