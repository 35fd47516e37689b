/** Drives the reconciler by words, as the transcripts have them, and looks again and again as the engine does. */
import {
  ACTIONS,
  type ActionName,
  act,
  mayAct,
  mayHaveMoved,
} from "../../../../server-stub/core/rollout/actions.ts";
import { because } from "../../../../server-stub/core/rollout/reasons.ts";
import { reconcile } from "../../../../server-stub/core/rollout/reconcile.ts";
import type { Place, RolloutRecord, Time } from "../../../../server-stub/core/rollout/rollout.ts";
import { showHead } from "../../../../server-stub/core/rollout/show.ts";
import { beginRollout } from "../../../../server-stub/core/rollout/snapshot.ts";
import { buildOf, SmallFleet } from "./fleet.ts";

const OFFLINE_AFTER_MS = 60_000;

export class RolloutWorld {
  readonly fleet = new SmallFleet();
  readonly #quorum = new Set<string>();
  #rollout: RolloutRecord | null = null;
  #nowMs = 1_000_000;
  #wallMs = 1_000_000;
  #published = true;
  #rollouts = 0;

  /** Runs one line; what is joined by a plus has happened before the engine looks. Answers what came of it. */
  run(line: string): string {
    const before = this.#rollout;
    const said = line.split(" + ").flatMap((part) => {
      const [verb = "", ...words] = part.split(/\s+/);
      return this.#do(verb, words);
    });
    if (this.#rollout !== null && line !== "show") this.#look();
    const news = this.#rollout === null ? [] : difference(before, this.#rollout);
    return [...said, ...news].join("\n");
  }

  #do(verb: string, words: readonly string[]): string[] {
    if (ACTIONS.includes(verb as ActionName)) return this.#tell(verb as ActionName, words[0] ?? "ada");
    const [name = ""] = words;
    switch (verb) {
      case "quorum":
      case "independent": {
        const [group = "", ...names] = words;
        if (verb === "quorum") this.#quorum.add(group);
        for (const each of names) this.fleet.add(group, each);
        return [];
      }
      case "start":
        return this.#start(words);
      case "wait":
        this.#wait(span(name));
        return [];
      case "wall-clock":
        this.#wallMs += name.startsWith("-") ? -span(name.slice(1)) : span(name.slice(1));
        return [];
      case "restart":
        this.#nowMs = this.#wallMs;
        for (const machine of this.fleet.machines.values()) machine.presence = "unknown";
        return [];
      case "everybody-is-heard":
        for (const machine of this.fleet.machines.values()) machine.presence = "online";
        return [];
      case "withdraw":
      case "publish":
        this.#published = verb === "publish";
        return [];
      case "window-closes":
      case "window-opens":
        return this.#window(name, verb === "window-opens");
      case "show":
        return this.#show();
      case "count":
        return this.#count();
      default:
        return words.flatMap((each, index) =>
          index > 0 && TAKES_A_WORD.includes(verb) ? [] : this.#machine(verb, each, words.slice(1)),
        );
    }
  }

  #machine(verb: string, name: string, more: readonly string[]): string[] {
    const { fleet } = this;
    const machine = fleet.machine(name);
    if (NEEDS_LEASE.includes(verb) && machine.lease === null) throw new Error(`${name} holds no lease`);
    switch (verb) {
      case "ready":
        Object.assign(fleet.jobOf(name), { status: "running", prepared: true });
        return [];
      case "reserves":
      case "goes-down":
        return this.#lease(name, verb === "reserves" ? "reserved" : "in-flight");
      case "succeeds":
        machine.backup = machine.build;
        machine.build = fleet.jobOf(name).to;
        fleet.end(name, "succeeded", null);
        machine.lease = null;
        return [];
      case "goes-back":
        fleet.end(
          name,
          "failed",
          because("rolled-back", "The node went back to its old build: it was unhealthy."),
        );
        machine.lease = null;
        return [];
      case "gives-back":
        machine.lease = null;
        fleet.jobs.set(fleet.jobOf(name).id, {
          ...fleet.jobOf(name),
          status: "queued",
          prepared: false,
          reason: because("not-acted", "The node gave the lease back before it flipped anything."),
        });
        return [];
      case "fails":
        fleet.end(name, "failed", because("no-space", "The disk is full."));
        return [];
      case "is-overdue":
        fleet.end(name, "failed", because("did-not-reconnect", "The node did not reconnect."));
        return [];
      case "proves-to-be-back": {
        const job = fleet.jobs.get(machine.lease?.jobId ?? "");
        if (job === undefined) throw new Error(`${name} has no such job`);
        fleet.jobs.set(job.id, {
          ...job,
          reason: because("rolled-back", "The node went back to its old build."),
        });
        machine.lease = null;
        return [];
      }
      case "job-is-cancelled":
        fleet.end(name, "cancelled", because("job-cancelled", "Cancelled by operator ada."));
        machine.lease = null;
        return [];
      case "other-job":
        machine.jobId = "j-other";
        return [];
      case "other-job-ends":
        machine.jobId = null;
        return [];
      case "offline":
        machine.presence = "offline";
        machine.offlineSinceMs = this.#nowMs;
        return [];
      case "online":
        machine.presence = "online";
        return [];
      case "leader":
      case "follower":
        Object.assign(machine, { role: verb, reportsRole: true });
        return [];
      case "says-no-role":
        machine.role = null;
        return [];
      case "connects":
      case "is-heard":
        machine.connecting = verb === "connects";
        return [];
      case "held":
        machine.refuses = because(
          "held",
          "It is held on its build since a rollback, until it is told to retry.",
        );
        return [];
      case "quarantined":
        machine.refuses = because("quarantined", "It has quarantined 1.1.0: it was unhealthy.");
        return [];
      case "never-heard":
        Object.assign(machine, { known: false, presence: "offline", offlineSinceMs: this.#nowMs });
        return [];
      case "is-known":
        Object.assign(machine, { known: true, presence: "online" });
        return [];
      case "runs":
        machine.build = buildOf(more[0] ?? "");
        return [];
      case "keeps":
        machine.backup = buildOf(more[0] ?? "");
        return [];
      case "removed":
      case "revoked":
      case "moved":
        return this.#leaves(name, verb);
      case "cannot-be-spared":
        machine.denied = because("quorum", "3 voters, quorum 2: beside it 2 must serve, and 1 does.");
        return [];
      case "can-be-spared":
        machine.denied = null;
        return [];
      default:
        throw new Error(`no such word: ${verb}`);
    }
  }

  /** As the lease's own rules would: by turn, and one of a quorum group at a time. */
  #lease(name: string, phase: "reserved" | "in-flight"): string[] {
    const machine = this.fleet.machine(name);
    const place = this.#rollout?.nodes.find((node) => node.name === name);
    if (machine.lease === null && place?.status !== "updating") return [`${name} is refused: not its turn`];
    const others = [...this.fleet.machines.values()].filter(
      (each) => each !== machine && each.group === machine.group && each.lease !== null,
    );
    if (this.#quorum.has(machine.group) && others.length > 0) return [`${name} is refused: held`];
    machine.lease = { phase, jobId: this.fleet.jobOf(name).id };
    return [];
  }

  #leaves(name: string, verb: "removed" | "revoked" | "moved"): string[] {
    const machine = this.fleet.machine(name);
    const reasons = {
      removed: because("removed", "The node was removed."),
      revoked: because("node-revoked", `${name}'s credential was revoked.`),
      moved: because("moved", `It is in group other now, and not in ${machine.group} any more.`),
    };
    machine.gone = reasons[verb];
    if (verb === "removed") machine.lease = null;
    if (machine.jobId !== null && machine.lease === null) this.fleet.end(name, "cancelled", reasons[verb]);
    return [];
  }

  /** The engine looks all the while. */
  #wait(ms: number): void {
    const looks = Math.min(1_000, Math.max(1, Math.ceil(ms / 30_000)));
    for (let look = 0; look < looks; look += 1) {
      this.#nowMs += ms / looks;
      this.#wallMs += ms / looks;
      if (this.#rollout !== null) this.#look();
    }
  }

  #window(group: string, isOpen: boolean): string[] {
    const machines = [...this.fleet.machines.values()].filter((machine) => machine.group === group);
    if (machines.length === 0) throw new Error(`no group ${group}`);
    const gate = because("outside-window", "The maintenance window is closed. It opens next at 02:00.");
    for (const machine of machines) machine.gate = isOpen ? null : gate;
    return [];
  }

  #start(words: readonly string[]): string[] {
    const option = (key: string) => words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1);
    const stages = (option("stages") ?? "100").split(",").map((share) => Number(share) / 100);
    const pause = option("pause") ?? "0s";
    this.#rollouts += 1;
    this.#rollout = beginRollout(
      {
        id: `r-${this.#rollouts}`,
        kind: "update",
        release: option("release") ?? "1.1.0",
        rollbackOf: null,
        selection: { all: true },
        policy: {
          stages,
          concurrency: Number(option("concurrency") ?? 1),
          threshold: option("threshold") === undefined ? null : Number(option("threshold")) / 100,
          pauseMs: pause === "operator" ? null : span(pause),
          offline: option("offline") === "skip" ? "skip" : "halt",
          onFailure: "halt",
          seed: Number(option("seed") ?? 1),
        },
        quorumGroups: [...this.#quorum],
        acceptOutage: false,
        allowUnhealthy: [],
        planHash: null,
        perNodeMs: 60_000,
        startedBy: "ada",
        createdAt: this.#wallMs,
        retry: words.includes("retry"),
      },
      [...this.fleet.machines.values()].map((machine) => ({
        nodeId: machine.name,
        name: machine.name,
        group: machine.group,
        role: machine.role,
        from: machine.known ? machine.build : null,
        to: null,
      })),
    );
    return this.#rollout.stages.map((stage, at) => {
      const nodes = this.#rollout?.nodes.filter((node) => node.stage === at).map((node) => node.name) ?? [];
      return `stage ${at + 1}, to ${Math.round(stage.share * 100)} %: ${nodes.join(" ")}`;
    });
  }

  #tell(name: ActionName, by: string): string[] {
    const rollout = this.#current();
    const may = mayAct(rollout, name);
    if (may === "done") return ["it is so already"];
    if (may !== "yes") return [`refused: ${may.message} ${may.hint}`.trim()];
    const told = act(rollout, { name, by }, this.#time());
    this.#rollout = told;
    if (name === "rollback") this.#takeBack();
    return [];
  }

  /** The other rollout is the one that the world goes on with. */
  #takeBack(): void {
    this.#look();
    const taken = this.#current();
    const moved = taken.nodes.filter(
      (node) =>
        mayHaveMoved(node) && (node.status !== "failed" || this.fleet.machine(node.name).lease !== null),
    );
    this.#rollouts += 1;
    this.#rollout = beginRollout(
      {
        ...taken,
        id: `r-${this.#rollouts}`,
        kind: "rollback",
        rollbackOf: taken.id,
        policy: { ...taken.policy, stages: [1], threshold: 1, offline: "skip" },
        createdAt: this.#wallMs,
        retry: true,
      },
      moved.map((node) => ({
        ...node,
        role: this.fleet.machine(node.name).role,
        from: node.to,
        to: node.from,
      })),
    );
  }

  #look(): void {
    for (let look = 0; look < 5; look += 1) {
      const before = this.#current();
      const around = { offlineAfterMs: OFFLINE_AFTER_MS, published: this.#published };
      const result = reconcile(before, this.fleet.seen(before, this.#nowMs), around, this.#time());
      for (const { jobId, reason } of result.close) this.fleet.close(jobId, reason);
      this.#rollout = this.fleet.open(result.rollout, result.open);
      if (result.open.length === 0 && this.#rollout.stage === before.stage) return;
    }
  }

  #current(): RolloutRecord {
    if (this.#rollout === null) throw new Error("nothing was started");
    return this.#rollout;
  }

  #time(): Time {
    return { nowMs: this.#nowMs, wallMs: this.#wallMs };
  }

  #show(): string[] {
    const { stages, nodes } = this.#current();
    return [
      ...stages.map((stage, at) => `stage ${at + 1}: ${stage.status} (${stage.reason?.message ?? "?"})`),
      ...nodes.map((node) => `${node.name}: ${node.status} (${node.reason?.message ?? "?"})`),
    ];
  }

  #count(): string[] {
    const rollout = this.#current();
    const counts = Object.entries(rollout.counts).filter(([, count]) => count > 0);
    const { nodes: _nodes, ...head } = rollout;
    const { estimatedEnd } = showHead(head, this.#wallMs);
    const left =
      estimatedEnd === null ? "nobody knows when it ends" : `${(estimatedEnd - this.#wallMs) / 1000} s to go`;
    return [
      counts.map(([status, count]) => `${count} ${status}`).join(", "),
      `${rollout.budget.failed} failed in this stage, of ${rollout.budget.allowed} that may; ${left}`,
    ];
  }
}

const NEEDS_LEASE = ["succeeds", "goes-back", "gives-back", "is-overdue", "proves-to-be-back"];
const TAKES_A_WORD = ["runs", "keeps"];

function span(word: string): number {
  const match = /^(\d+)(s|m|h|d)$/.exec(word);
  if (match === null) throw new Error(`not a time: ${word}`);
  const unit = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] as "s" | "m" | "h" | "d"];
  return Number(match[1]) * unit;
}

/** What is new about the rollout, its stages and its nodes; nodes of which the same is to be said share a line. */
function difference(before: RolloutRecord | null, after: RolloutRecord): string[] {
  const was = before?.id === after.id ? before : null;
  const lines = new Map<string, string[]>();
  after.nodes.forEach((node, at) => {
    if (was !== null && sayNode(was.nodes[at]) === sayNode(node)) return;
    const names = lines.get(sayNode(node)) ?? [];
    lines.set(sayNode(node), [...names, node.name]);
  });
  const stages = after.stages.flatMap((stage, at) =>
    was?.stages[at]?.status === stage.status ? [] : [`  stage ${at + 1} is ${stage.status}`],
  );
  const whole = `  rollout ${after.id} is ${after.status}: ${after.reason?.message ?? "?"}`;
  const wasWhole = was === null ? "" : `  rollout ${was.id} is ${was.status}: ${was.reason?.message ?? "?"}`;
  return [
    ...[...lines].map(([say, names]) => `  ${names.join(" ")}: ${say}`),
    ...stages.filter((line) => !(was === null && line.endsWith("pending"))),
    ...(whole === wasWhole ? [] : [whole]),
  ];
}

const sayNode = (node: Place | undefined): string =>
  node === undefined ? "" : `${node.status}, ${node.reason?.code ?? "?"}: ${node.reason?.message ?? "?"}`;
