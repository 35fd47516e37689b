/** Watches a world: every write of the coordinator, every frame that reaches it, every effect on a machine's disk. */
import type { AgentFrame, CoordinatorFrame } from "../../../protocol/frames.ts";
import type { GroupName, NodeId } from "../../../protocol/names.ts";
import { defaultSpare, quorumOf } from "../../../protocol/quorum.ts";
import type { LeaseRecord } from "../../../server-stub/core/lease/record.ts";
import { mayBeDown } from "../../../server-stub/core/lease/record.ts";
import type { Change } from "../../../server-stub/store/records.ts";
import type { Store } from "../../../server-stub/store/store.ts";
import type { MachineClock } from "../clock.ts";
import type { CoordinatorWatch } from "../coordinator.ts";
import type { NodeMachine } from "../node.ts";
import type { Story } from "../story.ts";
import { type Entry, Ledger, type LedgerNews } from "./ledger.ts";
import { type MachineRules, machineRules } from "./machine.ts";
import { PresenceTwin } from "./presence-twin.ts";
import { requireEnded } from "./proof.ts";
import { Violation } from "./violation.ts";

export type Watched = {
  readonly clock: MachineClock;
  readonly slowness: () => number;
  readonly nodes: () => Iterable<NodeMachine>;
  readonly story: Story;
  readonly heartbeatMs: number;
};

export class Checker implements CoordinatorWatch {
  readonly ledger = new Ledger();
  readonly removed = new Set<NodeId>();
  readonly machines: MachineRules = machineRules(this.ledger, this.removed);
  /** How often each kind of thing was seen: a rule that never had anything to look at proves nothing. */
  readonly seen = new Map<string, number>();
  #watched: Watched | null = null;
  #twin: PresenceTwin | null = null;
  #anchorMs = 0;
  #failure: Violation | null = null;
  #later: (() => Promise<void>)[] = [];

  watch(watched: Watched): void {
    this.#watched = watched;
    this.#twin = new PresenceTwin(() => watched.clock.uptime(), watched.heartbeatMs);
  }

  count(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
  }

  /** Throws what was found to be wrong; looks at what needs to be read first. */
  async check(): Promise<void> {
    for (const look of this.#later.splice(0)) await look();
    if (this.#failure !== null) throw this.#failure;
  }

  wentWrong(message: string, fields: object): void {
    const cause = "cause" in fields ? fields.cause : "err" in fields ? fields.err : fields;
    const why = cause instanceof Error ? (cause.stack ?? cause.message) : JSON.stringify(cause);
    this.#fail(new Violation("no-unforeseen-error", `${message}: ${why}`));
  }

  async began(store: Store, restored: boolean): Promise<void> {
    const { clock } = this.#world;
    this.#anchorMs = clock.now() - clock.uptime();
    if (!restored) return;
    const records = new Map<GroupName, LeaseRecord>();
    for (const { value } of await store.groups()) {
      const lease = await store.lease(value.name);
      if (lease !== null) records.set(value.name, lease.value);
    }
    this.ledger.restored(records);
  }

  ended(): void {
    this.#twin?.forget();
  }

  receiving(nodeId: NodeId, frames: readonly AgentFrame[]): void {
    this.#twin?.receiving(nodeId, frames);
  }

  received(nodeId: NodeId, answers: readonly CoordinatorFrame[]): void {
    this.#twin?.received(nodeId, answers);
  }

  written(changes: readonly Change[], store: Store): void {
    try {
      const removed = new Set(
        changes.flatMap((change) => (change.kind === "remove-node" ? [change.id] : [])),
      );
      for (const id of removed) this.removed.add(id);
      for (const change of changes) {
        if (change.kind === "group") this.ledger.mode(change.value.name, change.value.mode);
        if (change.kind !== "lease") continue;
        const now = this.#anchorMs + this.#world.clock.uptime();
        for (const news of this.ledger.written(change.group, change.value, removed, now))
          this.#learn(news, store);
      }
    } catch (cause) {
      if (!(cause instanceof Violation)) throw cause;
      this.#fail(cause);
    }
  }

  #learn(news: LedgerNews, store: Store): void {
    const { entry, kind } = news;
    this.count(`lease: ${kind}`);
    const { story } = this.#world;
    if (story.isTold)
      story.tell("lease", `${entry.group}: token ${entry.token} ${kind} (${this.#nameOf(entry.nodeId)})`);
    if (kind === "returned") {
      const node = this.#nodeOf(entry.nodeId);
      if (node !== undefined) requireEnded(node, entry);
    }
    if (kind === "committed") this.#later.push(() => this.#lookAtCommit(entry, store));
    if (kind === "granted") this.#later.push(() => this.#lookAtGrant(entry, store));
  }

  /** Enough other voters may be believed to serve. */
  async #lookAtCommit(entry: Entry, store: Store): Promise<void> {
    const group = await store.group(entry.group);
    const nodes = await store.nodes(entry.group);
    if (group === null || group.value.mode !== "quorum") return;
    const voters = nodes.filter(({ value }) => value.voter && value.membership !== "pending");
    if (!voters.some(({ value }) => value.id === entry.nodeId) || voters.length <= 2) return;
    const record = this.ledger.record(entry.group);
    const serving = voters.filter(
      ({ value }) =>
        value.id !== entry.nodeId &&
        !mayBeDown(record, value.id) &&
        this.#twin?.maySeemServing(value.id, this.#slackMs) === true,
    );
    const needed = quorumOf(voters.length) + (group.value.spare ?? defaultSpare(voters.length));
    if (serving.length < needed) {
      this.#fail(
        new Violation(
          "quorum",
          `${this.#nameOf(entry.nodeId)} was let go down with ${serving.length} of ${needed} others serving.`,
        ),
      );
    }
  }

  /** A leader does not get a lease while others of its group wait. */
  async #lookAtGrant(entry: Entry, store: Store): Promise<void> {
    const group = await store.group(entry.group);
    if (group === null || group.value.mode !== "quorum") return;
    if (this.#twin?.surelyLeads(entry.nodeId, this.#slackMs) !== true) return;
    const jobs = await store.activeJobsOf(entry.group);
    const waiting = jobs.filter(({ value }) => value.nodeId !== entry.nodeId);
    if (waiting.length > 0)
      this.#fail(
        new Violation(
          "leader-last",
          `${this.#nameOf(entry.nodeId)} leads and got the lease, while ${waiting.length} others wait.`,
        ),
      );
  }

  get #slackMs(): number {
    return 400 * this.#world.slowness();
  }

  get #world(): Watched {
    if (this.#watched === null) throw new Error("nothing is watched yet");
    return this.#watched;
  }

  #nodeOf(nodeId: NodeId): NodeMachine | undefined {
    for (const node of this.#world.nodes()) if (node.nodeId === nodeId) return node;
    return undefined;
  }

  #nameOf(nodeId: NodeId): string {
    return this.#nodeOf(nodeId)?.name ?? nodeId;
  }

  #fail(violation: Violation): void {
    this.#failure ??= violation;
  }
}
