/**
 * A rollout that is played: whatever happens to its nodes, its clock and its operator, in any order, and every look at
 * it checked against what must always hold. Numbers choose what happens.
 */
import { ACTIONS, type ActionName, act, mayAct } from "../../../../server-stub/core/rollout/actions.ts";
import { because } from "../../../../server-stub/core/rollout/reasons.ts";
import { reconcile } from "../../../../server-stub/core/rollout/reconcile.ts";
import type { Place, RolloutRecord, Time } from "../../../../server-stub/core/rollout/rollout.ts";
import { beginRollout } from "../../../../server-stub/core/rollout/snapshot.ts";
import { type Machine, SmallFleet } from "./fleet.ts";

const AROUND = { offlineAfterMs: 60_000, published: true };

export type Setting = {
  /** Sizes of groups; those of three and more share a quorum. */
  readonly groups: readonly number[];
  readonly stages: readonly number[];
  readonly concurrency: number;
  readonly threshold: number | null;
  readonly pauseMs: number | null;
  readonly offline: "halt" | "skip";
  readonly seed: number;
};

export class Game {
  readonly fleet = new SmallFleet();
  readonly happened = { looks: 0, turns: 0, halts: 0, retries: 0, completions: 0, stages: 0 };
  rollout: RolloutRecord;
  readonly #quorum: ReadonlySet<string>;
  #nowMs = 10_000_000;
  #wallMs = 10_000_000;
  /** When the stage that is at work, or the one before, was done: on the clock that only rises. */
  #stageDoneMs: number | null = null;
  #restarts = 0;
  #resumed = false;
  /** Who held no lease when it was cancelled. */
  #untouched: ReadonlySet<string> | null = null;

  constructor(setting: Setting) {
    const names = setting.groups.map((_, at) => `g${at}`);
    this.#quorum = new Set(names.filter((_, at) => (setting.groups[at] ?? 0) >= 3));
    setting.groups.forEach((size, at) => {
      for (let index = 0; index < size; index += 1) this.fleet.add(`g${at}`, `g${at}n${index}`);
    });
    this.rollout = beginRollout(
      {
        id: "r-1",
        kind: "update",
        release: "1.1.0",
        rollbackOf: null,
        selection: { all: true },
        policy: { ...setting, stages: [...setting.stages], onFailure: "halt" },
        quorumGroups: [...this.#quorum],
        acceptOutage: false,
        allowUnhealthy: [],
        retry: false,
        planHash: null,
        perNodeMs: null,
        startedBy: "ada",
        createdAt: 1,
      },
      [...this.fleet.machines.values()].map(({ name, group, role, build }) => ({
        nodeId: name,
        name,
        group,
        role,
        from: build,
        to: null,
      })),
    );
  }

  /** One thing happens, and then the engine looks. */
  step(choice: number): void {
    const machines = [...this.fleet.machines.values()];
    const machine = machines[Math.floor(choice / 64) % machines.length];
    if (machine === undefined) return;
    this.#happen(choice % 64, machine, Math.floor(choice / 4096));
    this.look();
  }

  #happen(what: number, machine: Machine, more: number): void {
    if (what < 12) this.#getReady(machine);
    else if (what < 26) this.#lease(machine);
    else if (what < 36) this.#finish(machine, more);
    else if (what < 40) this.#pass((more % 90) * 1_000);
    else if (what < 42) this.#fail(machine);
    else if (what < 46) this.#change(machine, more);
    else if (what < 48) this.#jump(more);
    else if (what < 60) this.#getReady(machine);
    else this.tell(ACTIONS[more % (ACTIONS.length - 1)] ?? "pause", more);
  }

  #getReady(machine: Machine): void {
    if (machine.jobId === null || machine.lease !== null) return;
    Object.assign(this.fleet.jobOf(machine.name), { status: "running", prepared: true });
  }

  /** As the lease's own rules would: by turn, and one of a quorum group at a time. */
  #lease(machine: Machine): void {
    if (machine.lease !== null) {
      machine.lease = { ...machine.lease, phase: "in-flight" };
      return;
    }
    const place = this.rollout.nodes.find((node) => node.name === machine.name);
    if (place?.status !== "updating" || place.jobId === null || machine.jobId !== place.jobId) return;
    machine.lease = { phase: "reserved", jobId: place.jobId };
  }

  #finish(machine: Machine, more: number): void {
    if (machine.lease === null || machine.jobId === null) return;
    const how = more % 8;
    if (machine.lease.phase === "reserved" || how === 0) {
      Object.assign(this.fleet.jobOf(machine.name), { status: "queued", prepared: false });
    } else if (how === 1) {
      this.fleet.end(machine.name, "failed", because("rolled-back", "It was unhealthy."));
    } else {
      machine.build = this.fleet.jobOf(machine.name).to;
      this.fleet.end(machine.name, "succeeded", null);
    }
    machine.lease = null;
  }

  #fail(machine: Machine): void {
    if (machine.jobId === null) return;
    const overdue = machine.lease?.phase === "in-flight";
    if (machine.lease !== null && !overdue) return;
    this.fleet.end(machine.name, "failed", because(overdue ? "did-not-reconnect" : "no-space", "It failed."));
    // What holds the lease of a job that has failed is told apart by its proof, sooner or later.
    if (overdue) machine.lease = null;
  }

  #change(machine: Machine, more: number): void {
    switch (more % 10) {
      case 0:
        Object.assign(machine, { presence: "offline", offlineSinceMs: this.#nowMs });
        return;
      case 1:
      case 2:
        machine.presence = "online";
        return;
      case 3:
        machine.role = machine.role === "leader" ? "follower" : "leader";
        machine.reportsRole = true;
        return;
      case 4:
        machine.gate = machine.gate === null ? because("outside-window", "It is closed.") : null;
        return;
      case 5:
        machine.denied = machine.denied === null ? because("quorum", "It cannot be spared.") : null;
        return;
      case 6:
        machine.refuses = machine.refuses === null ? because("held", "It is held.") : null;
        return;
      case 7:
        machine.presence = "unknown";
        return;
      case 8:
        machine.connecting = !machine.connecting;
        return;
      default:
        if (more % 7 === 0 && machine.lease === null) this.#leave(machine);
    }
  }

  #leave(machine: Machine): void {
    machine.gone = because("removed", "It was removed.");
    if (machine.jobId !== null) this.fleet.end(machine.name, "cancelled", machine.gone);
  }

  #pass(ms: number): void {
    this.#nowMs += ms;
    this.#wallMs += ms;
  }

  /** The wall clock is set, and with every second time the coordinator begins anew with it. */
  #jump(more: number): void {
    this.#wallMs += ((more % 21) - 10) * 3_600_000;
    if (more % 2 === 0) return;
    this.#nowMs = this.#wallMs;
    this.#restarts += 1;
    for (const machine of this.fleet.machines.values()) machine.presence = "unknown";
  }

  tell(name: ActionName, more = 0): void {
    // Cancelling ends the game, so it is said less often.
    if (name === "cancel" && more % 3 !== 0) return;
    const before = this.rollout;
    if (mayAct(before, name) !== "yes") return;
    this.rollout = act(before, { name, by: "ada" }, this.#time());
    if (name === "resume") this.#resumed = true;
    if (name === "retry") {
      this.happened.retries += 1;
      this.#stageDoneMs = null;
    }
    if (name === "cancel") {
      const idle = [...this.fleet.machines.values()].filter(({ lease }) => lease === null);
      this.#untouched = new Set(idle.map((machine) => `${machine.name} ${machine.build.version}`));
    }
  }

  #time(): Time {
    return { nowMs: this.#nowMs, wallMs: this.#wallMs };
  }

  /** The engine looks until there is nothing new, and every look is checked. */
  look(): void {
    for (let count = 0; count < 50; count += 1) {
      const before = this.rollout;
      const seen = this.fleet.seen(before, this.#nowMs);
      const result = reconcile(before, seen, AROUND, this.#time());
      for (const { jobId, reason } of result.close) this.fleet.close(jobId, reason);
      const after = result.rollout;
      this.#check(before, after, result.open);
      this.happened.looks += 1;
      this.rollout = this.fleet.open(after, result.open);
      if (result.open.length > 0 || after.stage !== before.stage) continue;
      const again = reconcile(after, this.fleet.seen(after, this.#nowMs), AROUND, this.#time());
      must("seen again without change, it is the very same object", again.rollout === after);
      must("and there is nothing to do", again.open.length + again.close.length === 0);
      return;
    }
    throw new Error("it never came to rest");
  }

  #check(before: RolloutRecord, after: RolloutRecord, open: readonly string[]): void {
    const runs = after.status === "running";
    must("jobs are opened only while it runs", runs || open.length === 0);
    this.#checkTurns(after);
    this.#checkEnds(before, after);
    this.#checkStages(before, after);
    this.#checkCounts(after);
    checkReasons(after);
    if (runs) must("it halts above its threshold", !isAboveThreshold(after, this.#quorum));
    if (after.status === "halted" && before.status !== "halted") this.happened.halts += 1;
    if (after.status === "completed" && before.status !== "completed") this.happened.completions += 1;
    if (after.status === "cancelled" && this.#untouched !== null) {
      for (const untouched of this.#untouched) {
        const [name = ""] = untouched.split(" ");
        const now = this.fleet.machine(name);
        must(
          `${name} was cancelled and is left alone`,
          now.lease === null && `${name} ${now.build.version}` === untouched,
        );
      }
    }
  }

  #checkTurns(after: RolloutRecord): void {
    const turns = after.nodes.filter((node) => node.status === "updating");
    const holders = [...this.fleet.machines.values()].filter(
      (machine) => machine.lease !== null && machine.jobId === machine.lease.jobId,
    );
    must(
      "who holds a lease has its turn",
      holders.every(({ name }) => turns.some((node) => node.name === name)),
    );
    must("turns are given only while it runs", after.status === "running" || turns.length === holders.length);
    const units = turns.map((node) => (this.#quorum.has(node.group) ? node.group : node.name));
    must("one of a group at a time", new Set(units).size === units.length);
    // Who goes on under a lease goes on, also when the operator's retry has brought more of them.
    must("as many as may be", units.length <= Math.max(after.policy.concurrency, holders.length));
    must(
      "nobody goes before its stage has begun",
      turns.every((node) => after.stages[node.stage]?.status !== "pending"),
    );
    this.happened.turns += turns.length;
  }

  /** What has ended stays ended; only a failure may turn out to be a rollback. */
  #checkEnds(before: RolloutRecord, after: RolloutRecord): void {
    before.nodes.forEach((node, at) => {
      const now = after.nodes[at];
      must("places keep their nodes", now?.nodeId === node.nodeId && now.stage === node.stage);
      const learned = node.status === "failed" && now?.status === "rolled-back";
      must(`${node.name} stays ${node.status}`, !hasEnded(node) || now?.status === node.status || learned);
    });
  }

  #checkStages(before: RolloutRecord, after: RolloutRecord): void {
    must("stages come one after the other", after.stage >= before.stage);
    after.stages.forEach((stage, at) => {
      const own = after.nodes.filter((node) => node.stage === at);
      const was = before.stages[at]?.status;
      if (stage.status === "done") must("a stage is done when its nodes are", own.every(hasEnded));
      if (stage.status === "done" && was !== "done" && at === after.stage) this.#stageDoneMs = this.#nowMs;
      if (was !== "pending" || stage.status === "pending") return;
      this.happened.stages += 1;
      const earlier = after.nodes.filter((node) => node.stage < at);
      must("no stage begins before the one before it is done", earlier.every(hasEnded));
      if (at > 0) this.#checkPause(after);
    });
  }

  /** A restart may make it a minute shorter, and so may nothing else. */
  #checkPause({ policy }: RolloutRecord): void {
    if (policy.pauseMs === null) must("it waits for an operator", this.#resumed);
    else if (this.#restarts === 0 && this.#stageDoneMs !== null) {
      must("no pause is skipped", this.#nowMs - this.#stageDoneMs >= policy.pauseMs);
    }
    this.#restarts = 0;
    this.#resumed = false;
    this.#stageDoneMs = null;
  }

  #checkCounts({ counts, nodes, budget }: RolloutRecord): void {
    const of = (status: Place["status"]) => nodes.filter((node) => node.status === status).length;
    must("it counts right", counts.succeeded === of("succeeded") && counts.skipped === of("skipped"));
    must("and all of them", Object.values(counts).reduce((sum, count) => sum + count, 0) === nodes.length);
    must("a budget is not negative", budget.failed >= 0 && budget.allowed >= 0);
  }

  /** Everybody does well from now on, and the operator is patient. */
  finish(): void {
    for (const machine of this.fleet.machines.values()) {
      Object.assign(machine, {
        presence: "online",
        gate: null,
        denied: null,
        refuses: null,
        connecting: false,
      });
      machine.role = null;
      machine.reportsRole = false;
    }
    for (let round = 0; round < 400 && !isOver(this.rollout); round += 1) {
      if (this.rollout.status === "paused") this.tell("resume");
      if (this.rollout.status === "halted") this.tell("retry");
      for (const machine of this.fleet.machines.values()) {
        if (machine.jobId === null) continue;
        this.#getReady(machine);
        this.look();
        this.#lease(machine);
        this.#lease(machine);
        if (machine.lease?.phase === "in-flight") this.#finish(machine, 2);
      }
      this.#pass(30_000);
      this.look();
    }
    must(`it comes to its end, and is not ${this.rollout.status} for ever`, isOver(this.rollout));
    if (this.rollout.status !== "completed") return;
    must(
      "no stage is lost",
      this.rollout.stages.every((stage) => stage.status === "done"),
    );
    must("nor a node", this.rollout.nodes.every(hasEnded));
  }
}

const isOver = ({ status, endedAt }: RolloutRecord): boolean =>
  (status === "completed" || status === "cancelled") && endedAt !== null;

const hasEnded = ({ status }: Place): boolean =>
  ["succeeded", "failed", "rolled-back", "skipped"].includes(status);

function checkReasons({ reason, stages, nodes, status }: RolloutRecord): void {
  must("the rollout says why", (reason?.message ?? "") !== "" || status === "running");
  must(
    "every stage says why",
    stages.every((stage) => (stage.reason?.message ?? "") !== ""),
  );
  for (const node of nodes)
    must(`${node.name} says why it is ${node.status}`, (node.reason?.message ?? "") !== "");
}

/** Counts with its fingers, stage by stage. */
function isAboveThreshold({ nodes, stage, policy }: RolloutRecord, quorum: ReadonlySet<string>): boolean {
  for (let at = 0; at <= stage; at += 1) {
    const own = nodes.filter((node) => node.stage === at);
    const failed = own.filter((node) => node.status === "failed" || node.status === "rolled-back");
    const alone = own.filter((node) => !quorum.has(node.group));
    if (policy.threshold !== null) {
      if (failed.length * 1000 > Math.round(policy.threshold * 1000) * own.length) return true;
    } else if (failed.some((node) => quorum.has(node.group)) || failed.length * 10 > 3 * alone.length)
      return true;
  }
  return false;
}

function must(what: string, holds: boolean): void {
  if (!holds) throw new Error(what);
}
