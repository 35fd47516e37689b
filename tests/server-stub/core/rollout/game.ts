/**
 * A rollout that is played: whatever happens to its nodes, its clock and its operator, in any order, and every look at
 * it checked against what must always hold. Numbers choose what happens.
 */
import { ACTIONS, type ActionName, act, mayAct } from "../../../../server-stub/core/rollout/actions.ts";
import { because } from "../../../../server-stub/core/rollout/reasons.ts";
import { reconcile } from "../../../../server-stub/core/rollout/reconcile.ts";
import type { RolloutRecord, Time } from "../../../../server-stub/core/rollout/rollout.ts";
import { beginRollout } from "../../../../server-stub/core/rollout/snapshot.ts";
import { type Machine, SmallFleet } from "./fleet.ts";
import { type Happened, hasEnded, must, Referee } from "./referee.ts";

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
  readonly happened: Happened = { looks: 0, turns: 0, halts: 0, retries: 0, completions: 0, stages: 0 };
  rollout: RolloutRecord;
  readonly #quorum: ReadonlySet<string>;
  #nowMs = 10_000_000;
  #wallMs = 10_000_000;
  readonly #referee: Referee;

  constructor(setting: Setting) {
    const names = setting.groups.map((_, at) => `g${at}`);
    this.#quorum = new Set(names.filter((_, at) => (setting.groups[at] ?? 0) >= 3));
    setting.groups.forEach((size, at) => {
      for (let index = 0; index < size; index += 1) this.fleet.add(`g${at}`, `g${at}n${index}`);
    });
    this.#referee = new Referee(this.fleet, this.#quorum, this.happened);
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
    this.#referee.restarted();
    for (const machine of this.fleet.machines.values()) machine.presence = "unknown";
  }

  tell(name: ActionName, more = 0): void {
    // Cancelling ends the game, so it is said less often.
    if (name === "cancel" && more % 3 !== 0) return;
    const before = this.rollout;
    if (mayAct(before, name) !== "yes") return;
    this.rollout = act(before, { name, by: "ada" }, this.#time());
    this.#referee.told(name);
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
      this.#referee.check(before, after, result.open, this.#nowMs);
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
