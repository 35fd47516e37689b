/** A fleet that does what it is told, seen as the reconciler sees one: nodes, their jobs, the leases that they hold. */
import type { Build } from "../../../../protocol/build.ts";
import type { Role } from "../../../../protocol/health.ts";
import type { Reason } from "../../../../protocol/job.ts";
import type { PresenceState } from "../../../../protocol/node.ts";
import type {
  Fleet,
  FleetJob,
  FleetNode,
  Gone,
  RolloutRecord,
} from "../../../../server-stub/core/rollout/rollout.ts";

export const buildOf = (version: string): Build => ({
  version,
  buildHash: version.replaceAll(".", "").padEnd(64, "0"),
});

/** What becomes of a machine. All of it may be set at any time. */
export type Machine = {
  readonly name: string;
  readonly group: string;
  presence: PresenceState;
  /** On the clock that only rises. */
  offlineSinceMs: number;
  build: Build;
  backup: Build | null;
  known: boolean;
  role: Role | null;
  reportsRole: boolean;
  connecting: boolean;
  refuses: Reason | null;
  gate: Reason | null;
  denied: Reason | null;
  gone: Reason | null;
  lease: { readonly phase: "reserved" | "in-flight"; readonly jobId: string } | null;
  /** The active one. */
  jobId: string | null;
};

type Job = { -readonly [K in keyof FleetJob]: FleetJob[K] } & { readonly to: Build };

export class SmallFleet {
  readonly machines = new Map<string, Machine>();
  readonly jobs = new Map<string, Job>();

  add(group: string, name: string): void {
    this.machines.set(name, {
      name,
      group,
      presence: "online",
      offlineSinceMs: 0,
      build: buildOf("1.0.0"),
      backup: null,
      known: true,
      role: null,
      reportsRole: false,
      connecting: false,
      refuses: null,
      gate: null,
      denied: null,
      gone: null,
      lease: null,
      jobId: null,
    });
  }

  machine(name: string): Machine {
    const machine = this.machines.get(name);
    if (machine === undefined) throw new Error(`no node ${name}`);
    return machine;
  }

  jobOf(name: string): Job {
    const { jobId } = this.machine(name);
    const job = jobId === null ? undefined : this.jobs.get(jobId);
    if (job === undefined) throw new Error(`${name} has no job`);
    return job;
  }

  /** The jobs that the reconciler asked for, and those that it ended. */
  open(rollout: RolloutRecord, names: readonly string[]): RolloutRecord {
    if (names.length === 0) return rollout;
    const nodes = rollout.nodes.map((node) => {
      if (!names.includes(node.nodeId) || node.to === null) return node;
      const machine = this.machine(node.name);
      if (machine.jobId !== null) throw new Error(`${node.name} has a job already`);
      if (node.status !== "pending" && node.status !== "preparing")
        throw new Error(`${node.name} is ${node.status}`);
      const id = `j-${this.jobs.size + 1}`;
      this.jobs.set(id, { id, status: "queued", reason: null, prepared: false, to: node.to });
      machine.jobId = id;
      return { ...node, jobId: id };
    });
    return { ...rollout, nodes };
  }

  end(name: string, status: "succeeded" | "failed" | "cancelled", reason: Reason | null): void {
    const job = this.jobOf(name);
    this.jobs.set(job.id, { ...job, status, reason, prepared: false });
    this.machine(name).jobId = null;
  }

  close(jobId: string, reason: Reason): void {
    const machine = [...this.machines.values()].find((each) => each.jobId === jobId);
    if (machine === undefined) throw new Error(`job ${jobId} is nobody's`);
    if (machine.lease !== null) throw new Error(`${machine.name} holds a lease and its job was closed`);
    this.end(machine.name, "cancelled", reason);
  }

  /** Nodes of the stages begun that have not ended, or failed; of the others the reconciler is told nothing. */
  seen(rollout: RolloutRecord, nowMs: number): Fleet {
    const fleet = new Map<string, FleetNode | Gone>();
    for (const node of rollout.nodes) {
      const ended = node.status === "succeeded" || node.status === "rolled-back" || node.status === "skipped";
      if (node.stage > rollout.stage || ended) continue;
      fleet.set(node.nodeId, this.#see(node.name, node.jobId, buildOf(rollout.release), nowMs));
    }
    return fleet;
  }

  #see(name: string, jobId: string | null, target: Build, nowMs: number): FleetNode | Gone {
    const machine = this.machine(name);
    const lease = machine.lease?.jobId === jobId ? machine.lease.phase : null;
    const job = jobId === null ? null : (this.jobs.get(jobId) ?? null);
    const isAtWork = job === null || job.status === "queued" || job.status === "running";
    if (machine.gone !== null && lease === null && isAtWork) return { kind: "gone", reason: machine.gone };
    const isOther = machine.jobId !== null && machine.jobId !== jobId;
    return {
      kind: "there",
      presence: machine.presence,
      offlineForMs: machine.presence === "offline" ? nowMs - machine.offlineSinceMs : null,
      build: machine.known ? machine.build : null,
      backup: machine.backup,
      target: machine.known ? target : null,
      platformKnown: machine.known,
      connecting: machine.connecting,
      role: machine.presence === "online" ? machine.role : null,
      reportsRole: machine.reportsRole,
      refuses: machine.refuses,
      gate: machine.gate,
      denied: machine.denied,
      job,
      otherJob: isOther ? machine.jobId : null,
      lease,
    };
  }
}
