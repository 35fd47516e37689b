/**
 * A node in a directory: the real agent on the real disk, the real guard before every start, a coordinator that is
 * as simple as it can be, and a clock that a test turns. One process after the other lives in it.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readlinkSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_POLICY } from "../../agent/core/machine/facts.ts";
import type { PreparedBuild, WorkloadControl } from "../../agent/core/ports.ts";
import { realDisk } from "../../agent/effects/disk.ts";
import { layoutOf } from "../../agent/effects/layout.ts";
import { silentLog } from "../../agent/effects/log.ts";
import { readTree, seal } from "../../agent/effects/release.ts";
import type { AgentView } from "../../agent/runner/views.ts";
import { type Agent, createAgent } from "../../agent/runner.ts";
import { type Build, releaseName, type VersionJson } from "../../protocol/build.ts";
import { buildHash } from "../../protocol/build-hash.ts";
import type { Desired } from "../../protocol/frames.ts";
import { err, ok } from "../../protocol/result.ts";
import { CutDisk } from "./cut-disk.ts";
import { ManualScheduler } from "./manual-scheduler.ts";
import { RigCoordinator, SESSION } from "./rig-coordinator.ts";

const GUARD = join(import.meta.dirname, "../../packaging/guard/agent-guard");

/** Memory where there is some: hundreds of nodes live and die here, and none needs to outlive a power cut. */
const PLACE = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** How a build behaves when it runs. */
export type Behaviour = { healthy?: boolean; connects?: boolean; crashes?: boolean };

export type Life = {
  readonly end: "exited" | "crashed" | "at-rest" | "guard-only";
  readonly code: 0 | 75 | null;
  readonly cut: CutDisk;
  readonly view: AgentView | null;
};

/** Three sealed releases Z, A, B; dist names A and dist.bak names Z. Made once and copied, since hashing takes time. */
export async function makeTemplate(): Promise<Template> {
  const dir = await mkdtemp(join(PLACE, "baton-template-"));
  await mkdir(join(dir, "releases"));
  const [z, a, b] = [
    await makeRelease(dir, "0.9.0"),
    await makeRelease(dir, "1.0.0"),
    await makeRelease(dir, "1.1.0"),
  ];
  await symlink(`releases/${releaseName(a.build)}`, join(dir, "dist"));
  await symlink(`releases/${releaseName(z.build)}`, join(dir, "dist.bak"));
  return { dir, z, a, b };
}

export type Template = { dir: string; z: PreparedBuild; a: PreparedBuild; b: PreparedBuild };

async function makeRelease(root: string, version: string): Promise<PreparedBuild> {
  const scratch = join(root, `scratch-${version}`);
  await mkdir(scratch);
  await writeFile(join(scratch, "main.mjs"), `console.log(${JSON.stringify(version)});\n`, { mode: 0o644 });
  const hash = buildHash(await readTree(realDisk, scratch));
  const versionJson: VersionJson = {
    version,
    buildHash: hash,
    builtAt: "2026-01-01T00:00:00Z",
    gitCommit: "unknown",
    entry: "main.mjs",
    engines: { node: "*" },
    platform: "linux-x64",
    protocol: 1,
  };
  await writeFile(join(scratch, "version.json"), JSON.stringify(versionJson), { mode: 0o644 });
  const build = { version, buildHash: hash };
  const release = join(root, "releases", releaseName(build));
  await cp(scratch, release, { recursive: true });
  await rm(scratch, { recursive: true });
  await seal(realDisk, release, versionJson);
  return { build, versionJson, minVersion: version };
}

export class NodeRig {
  readonly dir: string;
  readonly template: Template;
  readonly coordinator = new RigCoordinator();
  readonly behaviours = new Map<string, Behaviour>();
  readonly clock = new ManualScheduler();
  lives = 0;

  constructor(dir: string, template: Template) {
    this.dir = dir;
    this.template = template;
  }

  static async make(template: Template): Promise<NodeRig> {
    const dir = await mkdtemp(join(PLACE, "baton-node-"));
    await cp(template.dir, dir, { recursive: true, verbatimSymlinks: true });
    return new NodeRig(dir, template);
  }

  remove = (): Promise<void> => rm(this.dir, { recursive: true });

  /** What `dist` names. It must be complete at every instant. */
  get running(): Build {
    const link = readlinkSync(join(this.dir, "dist"));
    if (!existsSync(join(this.dir, link, ".complete")))
      throw new Error(`dist names ${link}, which is not complete`);
    const { z, a, b } = this.template;
    const found = [z, a, b].find(({ build }) => link === `releases/${releaseName(build)}`);
    if (found === undefined) throw new Error(`dist names ${link}`);
    return found.build;
  }

  get backup(): string | null {
    return existsSync(join(this.dir, "dist.bak")) ? readlinkSync(join(this.dir, "dist.bak")) : null;
  }

  want(kind: Desired["kind"], build: Build | null, jobId = "j-000000000001"): void {
    const release = build?.version ?? null;
    this.coordinator.desired = { jobId, kind, cause: "operator", release, build, retry: false, jitterMs: 0 };
  }

  /** One process after the other, until one comes to rest. */
  async liveUntilRest(limit = 12): Promise<Life> {
    for (let count = 0; count < limit; count++) {
      const life = await this.live();
      if (life.end === "at-rest") return life;
    }
    throw new Error(`it did not come to rest in ${limit} lives`);
  }

  /** One process: the guard, then the agent, until it exits, is cut off, or has nothing left to do. */
  async live(cutBefore?: number): Promise<Life> {
    this.lives += 1;
    this.runGuard();
    const behaviour = this.behaviours.get(this.running.buildHash) ?? {};
    const cut = new CutDisk(cutBefore);
    if (behaviour.crashes === true) return { end: "guard-only", code: null, cut, view: null };
    return this.#run(cut, behaviour);
  }

  runGuard(): void {
    if (!existsSync(join(this.dir, "state/trial"))) return;
    execFileSync("sh", [GUARD, "start"], {
      env: { PATH: process.env.PATH, BATON_STATE_DIR: this.dir, BATON_RUN_DIR: join(this.dir, "run") },
      stdio: ["ignore", "ignore", "pipe"],
    });
  }

  async #run(cut: CutDisk, behaviour: Behaviour): Promise<Life> {
    const { clock, coordinator } = this;
    clock.forget();
    const instanceId = `00000000-0000-4000-8000-${String(this.lives).padStart(12, "0")}`;
    const agent = createAgent({
      disk: cut.disk,
      clock,
      scheduler: clock,
      log: silentLog,
      lease: coordinator.leaseFor(this.running, instanceId, () => !cut.isCut),
      preparer: { prepare: (desired) => cut.during(() => this.#prepare(desired)) },
      workload: workloadOf(behaviour),
      stateDir: this.dir,
      running: this.running,
      instanceId,
      bootId: "boot-1",
      policy: DEFAULT_POLICY,
      trial: { tries: 3, refunds: 1 },
      healthEveryMs: 2_000,
      lock: async () => ok({ release: async () => undefined }),
    });
    const ended: { code: 0 | 75 | null } = { code: null };
    void agent.finished.then(({ code }) => {
      ended.code = code;
    });
    try {
      await agent.start();
    } catch (cause) {
      await quiet(cut);
      if (cut.isCut) return { end: "crashed", code: null, cut, view: null };
      throw cause;
    }
    return this.#follow(agent, cut, behaviour, instanceId, ended);
  }

  async #follow(
    agent: Agent,
    cut: CutDisk,
    behaviour: Behaviour,
    instanceId: string,
    ended: { code: 0 | 75 | null },
  ): Promise<Life> {
    const { coordinator, clock } = this;
    const connects = behaviour.connects !== false && coordinator.isUp;
    if (connects) agent.sessionOpened(SESSION);
    const life = (end: Life["end"]): Life => ({ end, code: ended.code, cut, view: agent.status() });
    let said = "";
    for (let turns = 0; turns < 2_000; ) {
      await cut.idle();
      if (cut.isCut) return life("crashed");
      if (ended.code !== null) return life("exited");
      if (coordinator.underWay > 0) continue;
      turns += 1;
      const parts = agent.heartbeatParts();
      if (connects && parts.update.state !== "exiting") {
        const orders = coordinator.heartbeat(parts, this.running, instanceId);
        const heard = JSON.stringify([parts, orders]);
        if (heard !== said) {
          said = heard;
          agent.receive(orders);
          continue;
        }
      }
      const isDone = parts.update.state === "idle" && parts.finalWords.length === 0;
      if (isDone && (!connects || (coordinator.lease === null && coordinator.desired === null))) {
        await quiet(cut);
        if (cut.isCut) return life("crashed");
        return life("at-rest");
      }
      clock.turnToNext();
    }
    throw new Error(`it neither ended nor rested: ${JSON.stringify(agent.status())}`);
  }

  async #prepare(desired: Desired) {
    const { z, a, b } = this.template;
    const wanted =
      desired.kind === "update"
        ? [z, a, b].find(({ build }) => build.buildHash === desired.build?.buildHash)
        : [z, a, b].find(({ build }) => this.backup === `releases/${releaseName(build)}`);
    const release = join("releases", releaseName(wanted?.build ?? this.running));
    await cp(join(this.template.dir, release), join(this.dir, release), { recursive: true });
    return wanted === undefined ? err({ code: "no-build", message: "There is none." }) : ok(wanted);
  }

  get layout() {
    return layoutOf(this.dir);
  }
}

/** Whatever was begun on the disk, such as removing garbage, is over. */
async function quiet(cut: CutDisk): Promise<void> {
  for (let still = 0; still < 3; still++) await cut.idle();
}

function workloadOf({ healthy = true }: Behaviour): WorkloadControl {
  return {
    canHandOver: false,
    drainMs: 1_000,
    health: async () => ({ healthy }),
    handover: async () => ok(undefined),
    drain: async () => ok(undefined),
    resume: async () => ok(undefined),
    start: async () => ok(undefined),
    stop: async () => undefined,
  };
}
