/** Who looks at every step of a game, and at what must hold of it whatever happens. */
import type { ActionName } from "../../../../server-stub/core/rollout/actions.ts";
import type { Place, RolloutRecord } from "../../../../server-stub/core/rollout/rollout.ts";
import type { SmallFleet } from "./fleet.ts";

/** How often what has happened. */
export type Happened = Record<"looks" | "turns" | "halts" | "retries" | "completions" | "stages", number>;

export class Referee {
  readonly #fleet: SmallFleet;
  readonly #quorum: ReadonlySet<string>;
  readonly #happened: Happened;
  /** When all that had begun was done: on the clock that only rises. */
  #stageDoneMs: number | null = null;
  /** How often the coordinator has begun anew since. */
  #restarts = 0;
  #resumed = false;
  /** Who held no lease when it was cancelled. */
  #untouched: ReadonlySet<string> | null = null;

  constructor(fleet: SmallFleet, quorum: ReadonlySet<string>, happened: Happened) {
    this.#fleet = fleet;
    this.#quorum = quorum;
    this.#happened = happened;
  }

  restarted(): void {
    this.#restarts += 1;
  }

  /** What the operator has said. */
  told(name: ActionName): void {
    if (name === "resume") this.#resumed = true;
    if (name === "retry") {
      this.#happened.retries += 1;
      this.#stageDoneMs = null;
    }
    if (name === "cancel") {
      const idle = [...this.#fleet.machines.values()].filter(({ lease }) => lease === null);
      this.#untouched = new Set(idle.map((machine) => `${machine.name} ${machine.build.version}`));
    }
  }

  check(before: RolloutRecord, after: RolloutRecord, open: readonly string[], nowMs: number): void {
    const runs = after.status === "running";
    must("jobs are opened only while it runs", runs || open.length === 0);
    this.#checkTurns(after);
    this.#checkEnds(before, after);
    this.#checkStages(before, after, nowMs);
    this.#checkCounts(after);
    checkReasons(after);
    if (runs) {
      must("it halts above its threshold", !isAboveThreshold(after, this.#quorum));
      this.#checkGroups(after);
    }
    if (after.status === "halted" && before.status !== "halted") this.#happened.halts += 1;
    if (after.status === "completed" && before.status !== "completed") this.#happened.completions += 1;
    if (after.status === "cancelled" && this.#untouched !== null) {
      for (const untouched of this.#untouched) {
        const [name = ""] = untouched.split(" ");
        const now = this.#fleet.machine(name);
        must(
          `${name} was cancelled and is left alone`,
          now.lease === null && `${name} ${now.build.version}` === untouched,
        );
      }
    }
  }

  #checkTurns(after: RolloutRecord): void {
    const turns = after.nodes.filter((node) => node.status === "updating");
    const holders = [...this.#fleet.machines.values()].filter(
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
    for (const node of turns) this.#checkReady(node, after);
    this.#happened.turns += turns.length;
  }

  /** A turn that was not used yet is of somebody who can use it, and for whom nobody else is to go before. */
  #checkReady({ name, group }: Place, { nodes, stage }: RolloutRecord): void {
    const machine = this.#fleet.machine(name);
    if (machine.lease !== null) return;
    must(`${name} is there and ready`, machine.presence === "online" && this.#fleet.jobOf(name).prepared);
    must(`${name} may go now`, machine.gate === null && machine.denied === null);
    if (!this.#quorum.has(group)) return;
    const others = nodes.filter((node) => node.group === group && node.name !== name && node.stage <= stage);
    const isToGo = (node: Place) => !hasEnded(node) && this.#fleet.machine(node.name).role !== "leader";
    must(`${name} leads and goes last`, machine.role !== "leader" || !others.some(isToGo));
  }

  /** Any failure ends its group's part: whoever is still to go stays where it is. */
  #checkGroups({ nodes, stage }: RolloutRecord): void {
    const failed = new Set(nodes.filter(hasFailed).map(({ group }) => group));
    const left = nodes.filter((node) => failed.has(node.group) && this.#quorum.has(node.group));
    must(
      "a group that has failed is left alone",
      left.every(
        (node) => hasEnded(node) || node.stage > stage || this.#fleet.machine(node.name).lease !== null,
      ),
    );
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

  #checkStages(before: RolloutRecord, after: RolloutRecord, nowMs: number): void {
    must("stages come one after the other", after.stage >= before.stage);
    if (isDone(after, before.stage) && !isDone(before, before.stage)) {
      this.#stageDoneMs = nowMs;
      this.#restarts = 0;
    }
    after.stages.forEach((stage, at) => {
      const own = after.nodes.filter((node) => node.stage === at);
      const was = before.stages[at]?.status;
      if (stage.status === "done") must("a stage is done when its nodes are", own.every(hasEnded));
      if (was !== "pending" || stage.status === "pending") return;
      this.#happened.stages += 1;
      const earlier = after.nodes.filter((node) => node.stage < at);
      must("no stage begins before the one before it is done", earlier.every(hasEnded));
      if (at > 0) this.#checkPause(after, nowMs);
    });
  }

  /** A restart may make it a minute shorter, and so may nothing else. */
  #checkPause({ policy }: RolloutRecord, nowMs: number): void {
    if (policy.pauseMs === null) must("it waits for an operator", this.#resumed);
    else if (this.#restarts === 0 && this.#stageDoneMs !== null) {
      must("no pause is skipped", nowMs - this.#stageDoneMs >= policy.pauseMs);
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
}

const isDone = ({ stages }: RolloutRecord, upTo: number): boolean =>
  stages.every(({ status }, at) => at > upTo || status === "done");

const hasFailed = ({ status }: Place): boolean => status === "failed" || status === "rolled-back";

export const hasEnded = ({ status }: Place): boolean =>
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

export function must(what: string, holds: boolean): void {
  if (!holds) throw new Error(what);
}
