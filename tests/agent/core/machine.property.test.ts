import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Command } from "../../../agent/core/machine/command.ts";
import { EVENT_KINDS, type Event } from "../../../agent/core/machine/event.ts";
import { TABLE } from "../../../agent/core/machine/table.ts";
import { wakeAt } from "../../../agent/core/machine/wake.ts";
import { UPDATE_STATES } from "../../../protocol/frames.ts";
import { ModelCoordinator } from "./model-coordinator.ts";
import { type Asked, build, DISK_KINDS, ModelNode, place, refusal } from "./model-node.ts";

const A = build("1.0.0", "a");
const CANDIDATES = [build("1.1.0", "b"), build("1.2.0", "c")];
const FULL = { code: "disk-full", message: "There is no space left." };

/** A node, its coordinator and everything that may go wrong between them; each step keeps the invariants. */
class World {
  readonly node = new ModelNode({
    journal: null,
    dist: place(A),
    backup: place(build("0.9.0", "f")),
    trial: null,
    quarantine: [],
    verdict: null,
    floor: null,
  });
  readonly coordinator = new ModelCoordinator();
  /** Commits that were given up as unreachable and may still arrive. */
  floating: number[] = [];
  heard: Event[] = [];
  jobs = 0;
  flips = 0;
  readonly trace: string[] = [];

  constructor() {
    this.node.onDisk = (command) => this.#onDisk(command);
  }

  get session(): boolean {
    return this.node.machine.facts.session !== null;
  }

  /** Everything that may happen now. */
  choices(): [name: string, act: () => void][] {
    const { node, coordinator } = this;
    const list: [string, () => void][] = [
      ["job", () => this.newJob("update", false)],
      ["retry job", () => this.newJob("update", true)],
      ["rollback job", () => this.newJob("rollback", false)],
      ["no job", () => void (coordinator.desired = null)],
      ["turn", () => void (coordinator.hasTurn = true)],
      ["no turn", () => void (coordinator.hasTurn = false)],
      ["healthy", () => this.feed({ kind: "health", report: { healthy: true } })],
      ["unhealthy", () => this.feed({ kind: "health", report: { healthy: false } })],
      ["wait", () => this.wait(700)],
      ["wait long", () => this.wait(31_000)],
      ["wait until due", () => this.wait(Math.max(0, (wakeAt(node.machine) ?? node.now) - node.now))],
      ["early tick", () => this.feed({ kind: "tick" })],
      ["expire", () => coordinator.expire()],
      ["crash", () => this.crash(true)],
      ["crash, no guard", () => this.crash(false)],
      [
        "torn journal",
        () => {
          if (node.disk.journal !== null) node.disk.journal = "torn";
          this.crash(true);
        },
      ],
      ["stop", () => this.feed({ kind: "stop-requested" })],
      [
        "guard gives up",
        () => {
          if (node.disk.trial !== null) node.disk.trial.tries = 0;
          this.crash(true);
        },
      ],
    ];
    if (this.session) {
      list.push(["heartbeat", () => this.heartbeat()], ["close", () => this.feed({ kind: "session-closed" })]);
      list.push(["heartbeat", () => this.heartbeat()]);
    } else list.push(["open", () => this.feed({ kind: "session-opened", session: "5".repeat(32) })]);
    for (const asked of node.pending) {
      list.push([`do ${asked.kind}`, () => this.answer(asked)], [`do ${asked.kind}`, () => this.answer(asked)]);
      list.push([`refuse ${asked.kind}`, () => this.refuse(asked)]);
      if (isLease(asked)) {
        list.push([`lose ${asked.kind}`, () => this.lose(asked, false)]);
        list.push([`lose the answer to ${asked.kind}`, () => this.lose(asked, true)]);
      }
    }
    if (this.floating.length > 0) {
      list.push(["a late commit arrives", () => void coordinator.commit(this.floating.shift() ?? 0)]);
    }
    const old = this.heard[Math.max(0, this.heard.length - 4)];
    if (old !== undefined) list.push(["a repeated event", () => this.feed(old)]);
    return list;
  }

  step(choice: number): void {
    if (this.node.exited !== null) return this.crash(true);
    // Mostly things go well: pure chance would never come as far as a flip.
    if (choice % 100 < 75) return this.goOn();
    const choices = this.choices();
    const [name, act] = choices[Math.floor(choice / 100) % choices.length] ?? ["nothing", () => undefined];
    this.trace.push(name);
    act();
  }

  /** What happens when nothing goes wrong. */
  goOn(): void {
    const [asked] = this.node.pending;
    if (asked !== undefined) {
      this.trace.push(`do ${asked.kind}`);
      return this.answer(asked);
    }
    this.trace.push("go on");
    if (!this.session) return this.feed({ kind: "session-opened", session: "5".repeat(32) });
    this.heartbeat();
    if (this.node.pending.length === 0) this.wait(this.jobs % 2 === 0 ? 2_000 : 30_000);
  }

  feed(event: Event): void {
    const { node } = this;
    const before = node.machine.update.kind;
    this.heard.push(event);
    const result = node.feed(event);
    const after = node.machine.update.kind;
    const cell = TABLE[before][event.kind];
    const allowed = "to" in cell ? [before, ...cell.to] : [before];
    expect(allowed, `${before} + ${event.kind} -> ${after}`).toContain(after);
    this.check(result.commands);
  }

  crash(guarded: boolean): void {
    if (guarded) this.node.guard();
    this.node.start();
    this.heard = [];
    this.check(this.node.commands);
  }

  wait(ms: number): void {
    this.node.now += ms;
    const due = wakeAt(this.node.machine);
    if (due !== null && due <= this.node.now) this.feed({ kind: "tick" });
  }

  heartbeat(): void {
    this.feed(this.coordinator.heartbeat(this.node));
  }

  newJob(kind: "update" | "rollback", retry: boolean): void {
    this.jobs += 1;
    const to = CANDIDATES[this.jobs % CANDIDATES.length] ?? A;
    this.coordinator.desired = {
      jobId: `j-${String(this.jobs).padStart(12, "0")}`,
      kind,
      cause: "rollout",
      release: kind === "update" ? to.version : null,
      build: kind === "update" ? to : null,
      retry,
      jitterMs: 0,
    };
  }

  answer(asked: Asked): void {
    this.take(asked);
    const { op } = asked;
    const { node, coordinator } = this;
    if (DISK_KINDS.has(asked.kind)) return this.feed(node.perform(asked));
    switch (asked.kind) {
      case "prepare": {
        const of = asked.job.build ?? node.disk.backup?.build;
        if (of === undefined) return this.refuse(asked);
        const versionJson = {
          ...of,
          builtAt: "",
          gitCommit: "unknown",
          entry: "main.mjs",
          engines: { node: "*" },
          platform: "linux-x64",
          protocol: 1,
        };
        return this.feed({ kind: "prepare-done", op, prepared: { build: of, versionJson, minVersion: of.version } });
      }
      case "reserve": {
        const token = coordinator.reserve(node, asked.build, asked.jobId);
        if (token === null) return this.refuse(asked);
        return this.feed({ kind: "reserve-granted", op, token, ttlMs: 60_000 });
      }
      case "renew":
        if (!coordinator.renew(asked.token)) return this.refuse(asked);
        return this.feed({ kind: "renew-granted", op, ttlMs: 60_000 });
      case "commit":
        if (!coordinator.commit(asked.token)) return this.refuse(asked);
        return this.feed({ kind: "commit-granted", op, actWithinMs: asked.needMs });
      case "hand-over":
        return this.feed({ kind: "hand-over-done", op });
      case "drain":
        return this.feed({ kind: "drain-done", op });
      default:
        return this.feed({ kind: "resume-done", op });
    }
  }

  refuse(asked: Asked): void {
    this.take(asked);
    this.feed(refusal(asked, FULL));
  }

  /** Nobody answers: the request was lost, arrived with its answer lost, or arrives later. */
  lose(asked: Asked, arrived: boolean): void {
    this.take(asked);
    if (arrived && asked.kind === "reserve") this.coordinator.reserve(this.node, asked.build, asked.jobId);
    if (arrived && asked.kind === "commit") this.coordinator.commit(asked.token);
    if (!arrived && asked.kind === "commit") this.floating.push(asked.token);
    const event = refusal(asked, { code: "unreachable", message: "Nobody answered." });
    if (!("failure" in event)) throw new Error("only lease calls get lost");
    this.feed({ ...event, failure: { ...event.failure, kind: "unreachable" } });
  }

  take(asked: Asked): void {
    this.node.pending = this.node.pending.filter((each) => each !== asked);
  }

  /** What must hold after every step. */
  check(commands: readonly Command[]): void {
    const { node, coordinator } = this;
    const { journal, self } = node.machine.facts;
    for (const command of commands) {
      if (command.kind === "cancel") coordinator.cancel(command.token);
      if (command.kind === "commit") {
        expect(diskPhase(node), "a commit is sent only after the journal says so").toMatchObject({
          kind: "committing",
          token: command.token,
        });
      }
      if (command.kind === "reserve") expect(journal.finalWords, "no reserve while a word is owed").toEqual([]);
    }
    for (const { word, token } of journal.finalWords) {
      if (word === "confirmed") {
        expect(node.disk.trial?.swap.token, "confirmed is said while trial/ is there").not.toBe(token);
      }
    }
    // A process that was told its build is good, and one on probation, run what dist names.
    if (node.machine.update.kind === "confirming") {
      expect(self.running.buildHash).toBe(node.machine.update.swap.to.build.buildHash);
    }
    if (node.machine.update.kind === "probation") {
      const { to } = node.machine.update.swap;
      expect(node.disk.quarantine.map((entry) => entry.build.buildHash)).not.toContain(to.build.buildHash);
    }
    const flightless = coordinator.lease?.phase !== "in-flight";
    if (flightless && node.disk.trial !== null) {
      // Whatever the guard could still flip back must be covered by a lease.
      expect(node.disk.dist.link, "on trial without a lease").not.toBe(node.disk.trial.swap.to.link);
    }
  }

  #onDisk(command: Command): void {
    const { node, coordinator } = this;
    if (command.kind === "flip" && node.disk.dist.link === command.swap.to.link) {
      this.flips += 1;
      expect(coordinator.lease, "a flip without a lease in flight").toMatchObject({
        phase: "in-flight",
        token: command.swap.token,
      });
      expect(diskPhase(node)).toMatchObject({ kind: "swapping", swap: { token: command.swap.token } });
      expect(node.disk.trial?.swap.token).toBe(command.swap.token);
      expect(node.disk.quarantine.map((entry) => entry.build.buildHash)).not.toContain(command.swap.to.build.buildHash);
    }
    if (command.kind === "flip-back") {
      expect(coordinator.lease, "a flip back without a lease in flight").toMatchObject({ token: command.swap.token });
      expect(node.disk.quarantine.map((entry) => entry.build.buildHash)).toContain(command.swap.to.build.buildHash);
    }
  }
}

const isLease = ({ kind }: Asked): boolean => kind === "reserve" || kind === "renew" || kind === "commit";

function diskPhase(node: ModelNode): unknown {
  const { journal } = node.disk;
  return journal === null || journal === "torn" ? null : journal.phase;
}

/** From here on everything works: the node must come to rest, and the lease to its coordinator. */
function settle(world: World): void {
  const { node, coordinator } = world;
  world.feed({ kind: "health", report: { healthy: true } });
  for (let turn = 0; turn < 400; turn++) {
    if (coordinator.lease === null) coordinator.desired = null;
    if (node.exited !== null) world.crash(true);
    if (!world.session) world.feed({ kind: "session-opened", session: "5".repeat(32) });
    world.feed({ kind: "health", report: { healthy: true } });
    const [asked] = node.pending;
    if (asked !== undefined) world.answer(asked);
    if (node.exited === null) world.heartbeat();
    coordinator.expire();
    world.wait(1_000);
    const { facts, update } = node.machine;
    const isQuiet = update.kind === "idle" && facts.journal.finalWords.length === 0 && node.pending.length === 0;
    if (isQuiet && coordinator.lease === null) return;
  }
  throw new Error(`it never came to rest: ${node.machine.update.kind}, lease ${JSON.stringify(coordinator.lease)}`);
}

const RUNS = Number(process.env.RUNS ?? 600);

describe("the update machine, whatever happens", () => {
  it("keeps its invariants and comes to rest", () => {
    let flips = 0;
    let confirmed = 0;
    let back = 0;
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 1_000_000 }), { minLength: 20, maxLength: 160 }), (choices) => {
        const world = new World();
        // A node with something to do: random walks through idleness find nothing.
        world.newJob("update", false);
        world.coordinator.hasTurn = true;
        world.feed({ kind: "session-opened", session: "5".repeat(32) });
        world.heartbeat();
        try {
          for (const choice of choices) world.step(choice);
          settle(world);
        } catch (cause) {
          throw new Error(`after: ${world.trace.join(", ")}`, { cause });
        }
        const { disk, machine } = world.node;
        expect(disk.trial).toBeNull();
        expect(disk.dist.build).toEqual(machine.facts.self.running);
        flips += world.flips;
        confirmed += world.coordinator.returned.filter(({ word }) => word === "confirmed").length;
        back += world.coordinator.returned.filter(({ word }) => word === "rolled-back").length;
      }),
      { numRuns: RUNS, seed: Number(process.env.SEED ?? 7) },
    );
    // The walks must have been worth it.
    expect(flips).toBeGreaterThan(RUNS / 50);
    expect(confirmed).toBeGreaterThan(RUNS / 200);
    expect(back).toBeGreaterThan(RUNS / 200);
  });

  it("decides every pair of state and event", () => {
    expect(Object.keys(TABLE).sort()).toEqual([...UPDATE_STATES].sort());
    for (const kind of UPDATE_STATES) {
      expect(Object.keys(TABLE[kind]).sort()).toEqual([...EVENT_KINDS].sort());
    }
  });
});
