import assert from "node:assert/strict";
import type { JournalPhase } from "../../../agent/core/journal.ts";
import type { Command } from "../../../agent/core/machine/command.ts";
import type { Event } from "../../../agent/core/machine/event.ts";
import { TABLE } from "../../../agent/core/machine/table.ts";
import { wakeAt } from "../../../agent/core/machine/wake.ts";
import type { Build } from "../../../protocol/build.ts";
import { ModelCoordinator } from "./model-coordinator.ts";
import { type Asked, build, DISK_KINDS, ModelNode, place, refusal } from "./model-node.ts";
import { preparedBuild } from "./prepared-build.ts";

const A = build("1.0.0", "a");
const CANDIDATES = [build("1.1.0", "b"), build("1.2.0", "c")];
const FULL = { code: "disk-full", message: "There is no space left." };

/** A node, its coordinator and everything that may go wrong between them; each step keeps the invariants. */
export class World {
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
      ["no job", () => coordinator.want(null)],
      ["turn", () => coordinator.giveTurn(true)],
      ["no turn", () => coordinator.giveTurn(false)],
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
      list.push(
        ["heartbeat", () => this.heartbeat()],
        ["close", () => this.feed({ kind: "session-closed" })],
      );
      list.push(["heartbeat", () => this.heartbeat()]);
    } else list.push(["open", () => this.feed({ kind: "session-opened", session: "5".repeat(32) })]);
    for (const asked of node.pending) {
      list.push(
        [`do ${asked.kind}`, () => this.answer(asked)],
        [`do ${asked.kind}`, () => this.answer(asked)],
      );
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
    if (this.node.exited !== null) this.crash(true);
    // Mostly things go well: pure chance would never come as far as a flip.
    else if (choice % 100 < 75) this.goOn();
    else {
      const choices = this.choices();
      const [name, act] = choices[Math.floor(choice / 100) % choices.length] ?? ["nothing", () => undefined];
      this.trace.push(name);
      act();
    }
  }

  /** What happens when nothing goes wrong. */
  goOn(): void {
    const [asked] = this.node.pending;
    if (asked !== undefined) {
      this.trace.push(`do ${asked.kind}`);
      this.answer(asked);
      return;
    }
    this.trace.push("go on");
    if (!this.session) this.feed({ kind: "session-opened", session: "5".repeat(32) });
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
    assert.ok(allowed.includes(after), `${before} + ${event.kind} -> ${after}`);
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
    this.feed(this.answerTo(asked) ?? refusal(asked, FULL));
  }

  /** What it says when all is well; null when the coordinator, or the disk, cannot grant it. */
  answerTo(asked: Asked): Event | null {
    const { op } = asked;
    const { node, coordinator } = this;
    if (DISK_KINDS.has(asked.kind)) return node.perform(asked);
    if (asked.kind === "prepare") {
      const of = asked.job.build ?? node.disk.backup?.build;
      return of === undefined ? null : { kind: "prepare-done", op, prepared: preparedBuild(of) };
    }
    if (asked.kind === "reserve") {
      const token = coordinator.reserve(node, asked.build, asked.jobId);
      return token === null ? null : { kind: "reserve-granted", op, token, ttlMs: 60_000 };
    }
    if (asked.kind === "renew") {
      return coordinator.renew(asked.token) ? { kind: "renew-granted", op, ttlMs: 60_000 } : null;
    }
    if (asked.kind === "commit") {
      return coordinator.commit(asked.token)
        ? { kind: "commit-granted", op, actWithinMs: asked.needMs }
        : null;
    }
    if (asked.kind === "hand-over") return { kind: "hand-over-done", op };
    return asked.kind === "drain" ? { kind: "drain-done", op } : { kind: "resume-done", op };
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
    const { update } = node.machine;
    for (const command of commands) {
      if (command.kind === "cancel") coordinator.cancel(command.token);
      if (command.kind === "commit") {
        const phase = phaseOnDisk(node);
        const isWritten = phase?.kind === "committing" && phase.token === command.token;
        assert.ok(isWritten, "a commit is sent before the journal says so");
      }
      if (command.kind === "reserve")
        assert.deepEqual(journal.finalWords, [], "a reserve while a word is owed");
    }
    for (const { word, token } of journal.finalWords) {
      const isOnTrial = word === "confirmed" && node.disk.trial?.swap.token === token;
      assert.ok(!isOnTrial, "confirmed is said while trial/ is there");
    }
    if (update.kind === "confirming") {
      assert.equal(self.running.buildHash, update.swap.to.build.buildHash, "another build is confirmed");
    }
    if (update.kind === "probation") {
      assert.ok(!isCondemned(node, update.swap.to.build), "a quarantined build is on probation");
    }
    const { trial, dist } = node.disk;
    const isOnTrial = trial !== null && dist.link === trial.swap.to.link;
    assert.ok(!isOnTrial || coordinator.lease?.phase === "in-flight", "on trial without a lease in flight");
  }

  #onDisk(command: Command): void {
    const { node, coordinator } = this;
    if (command.kind === "flip" && node.disk.dist.link === command.swap.to.link) {
      const { token, to } = command.swap;
      const { lease } = coordinator;
      this.flips += 1;
      assert.ok(lease?.phase === "in-flight" && lease.token === token, "a flip without a lease in flight");
      const phase = phaseOnDisk(node);
      assert.ok(phase?.kind === "swapping" && phase.swap.token === token, "a flip before the journal");
      assert.equal(node.disk.trial?.swap.token, token, "a flip before the trial");
      assert.ok(!isCondemned(node, to.build), "a flip to a quarantined build");
    }
    if (command.kind === "flip-back") {
      const { token, to } = command.swap;
      assert.equal(coordinator.lease?.token, token, "a flip back without the lease in flight");
      assert.ok(isCondemned(node, to.build), "a flip back before the quarantine");
    }
  }
}

const isCondemned = (node: ModelNode, { buildHash }: Build): boolean =>
  node.disk.quarantine.some((entry) => entry.build.buildHash === buildHash);

const isLease = ({ kind }: Asked): boolean => kind === "reserve" || kind === "renew" || kind === "commit";

function phaseOnDisk(node: ModelNode): JournalPhase | null {
  const { journal } = node.disk;
  return journal === null || journal === "torn" ? null : journal.phase;
}
