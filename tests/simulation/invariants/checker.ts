/** Watches a world: every write of the coordinator, every frame that reaches it, every effect on a machine's disk. */
import type { AgentFrame } from "../../../protocol/frames.ts";
import type { GroupName, JobId, NodeId } from "../../../protocol/names.ts";
import { defaultSpare, quorumOf } from "../../../protocol/quorum.ts";
import type { LeaseRecord } from "../../../server-stub/core/lease/record.ts";
import type { Change } from "../../../server-stub/store/records.ts";
import type { Store } from "../../../server-stub/store/store.ts";
import type { Coordinating, CoordinatorWatch, Said, WrittenAt } from "../coordinator-parts.ts";
import type { NodeMachine } from "../node.ts";
import type { Story } from "../story.ts";
import { InTime } from "./in-time.ts";
import { type Entry, Ledger, type LedgerNews } from "./ledger.ts";
import { type MachineRules, machineRules } from "./machine.ts";
import { PresenceTwin } from "./presence-twin.ts";
import { ProbationRules } from "./probation.ts";
import { requireEnded } from "./proof.ts";
import { requireHeardOut, SeatRules } from "./seat.ts";
import { Violation } from "./violation.ts";

export type Watched = {
  readonly nodes: () => Iterable<NodeMachine>;
  readonly now: () => number;
  readonly story: Story;
  readonly heartbeatMs: number;
};

type View = { readonly twin: PresenceTwin; anchorMs: number; sinceMs: number };

/** How long it may be at a decision, in the middle of which its machine may have been suspended. */
function slackOf({ slowness, clock }: Coordinating): number {
  const awakeMs = 400 * slowness;
  return awakeMs + clock.sleptWithin(awakeMs);
}

/** The token under which a heartbeat that counted said that its node is swapping; null where none did. */
function claimOf({ frames, answers }: Said): number | null {
  const last = frames.at(-1);
  if (last?.type !== "heartbeat" || !answers.some(({ type }) => type === "orders")) return null;
  const { journal, finalWords } = last;
  if (journal.kind !== "swapping" || finalWords.some(({ token }) => token === journal.token)) return null;
  return journal.token;
}

export class Checker implements CoordinatorWatch {
  readonly ledger = new Ledger();
  readonly removed = new Set<NodeId>();
  readonly #inTime = new InTime();
  readonly machines: MachineRules = machineRules(this.ledger, this.removed, this.#inTime);
  readonly #probation = new ProbationRules();
  /** How often each kind of thing was seen: a rule that never had anything to look at proves nothing. */
  readonly seen = new Map<string, number>();
  readonly #seat = new SeatRules();
  /** Of each coordinator: what it may have heard, and since when it listens. */
  readonly #views = new Map<Coordinating, View>();
  /** By the coordinators' uptime, which is the same on all of them. */
  readonly #jobsSince = new Map<JobId, number>();
  #watched: Watched | null = null;
  #failure: Violation | null = null;
  #later: (() => Promise<void>)[] = [];

  watch(watched: Watched): void {
    this.#watched = watched;
  }

  count(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
  }

  /** Throws what was found to be wrong; looks at what needs to be read first. */
  async check(): Promise<void> {
    for (const look of this.#later.splice(0)) await look();
    this.#probation.look(this.#world.now());
    if (this.#failure !== null) throw this.#failure;
  }

  wentWrong(message: string, fields: object): void {
    const cause = "cause" in fields ? fields.cause : "err" in fields ? fields.err : fields;
    const why = cause instanceof Error ? (cause.stack ?? cause.message) : JSON.stringify(cause);
    this.#fail(new Violation("no-unforeseen-error", `${message}: ${why}`));
  }

  broke(cause: Error): void {
    if (!(cause instanceof Violation)) throw cause;
    this.#fail(cause);
  }

  /** A process of this node has come to a state. It is not told here what it has done wrong. */
  came(node: NodeMachine, state: string): void {
    try {
      this.#probation.came(node, state);
    } catch (cause) {
      this.broke(cause instanceof Error ? cause : new Error(String(cause)));
    }
  }

  async began(by: Coordinating, store: Store, restored: boolean): Promise<void> {
    const view = this.#viewOf(by);
    view.anchorMs = by.clock.now() - by.clock.uptime();
    view.sinceMs = by.clock.uptime();
    if (!restored) return;
    const records = new Map<GroupName, LeaseRecord>();
    for (const { value } of await store.groups()) {
      const lease = await store.lease(value.name);
      if (lease !== null) records.set(value.name, lease.value);
    }
    this.ledger.restored(records);
  }

  ended(by: Coordinating): void {
    this.#viewOf(by).twin.forget();
  }

  receiving(by: Coordinating, nodeId: NodeId, frames: readonly AgentFrame[]): void {
    this.#viewOf(by).twin.receiving(nodeId, frames);
  }

  received(by: Coordinating, nodeId: NodeId, said: Said): void {
    this.#viewOf(by).twin.received(nodeId, said.answers);
    const node = this.#nodeOf(nodeId);
    if (node === undefined || this.removed.has(nodeId)) return;
    const claim = claimOf(said);
    const { holders, broken } = this.ledger.record(node.group);
    if (claim === null || [...holders, ...broken].some(({ token }) => token === claim)) return;
    // It has been returned meanwhile: who was suspended takes an old message, or no longer decides.
    if (this.ledger.entry(node.group, claim)?.phase === "ended") return;
    this.#fail(
      new Violation(
        "taken-as-down",
        `${node.name} said that it is swapping under token ${claim} of ${node.group}, which is not on record.`,
      ),
    );
  }

  written(by: Coordinating, changes: readonly Change[], at: WrittenAt): void {
    try {
      this.#seat.written(by.name, changes, at.process);
      const view = this.#viewOf(by);
      requireHeardOut(changes, at.askedAt - view.sinceMs, this.#world.heartbeatMs);
      const removed = new Set(
        changes.flatMap((change) => (change.kind === "remove-node" ? [change.id] : [])),
      );
      for (const id of removed) this.removed.add(id);
      for (const change of changes) {
        if (change.kind === "job" && !this.#jobsSince.has(change.value.id))
          this.#jobsSince.set(change.value.id, by.clock.uptime());
        if (change.kind === "group") this.ledger.mode(change.value.name, change.value.mode);
        if (change.kind !== "lease") continue;
        for (const holder of change.value.holders) {
          const node = this.#nodeOf(holder.nodeId);
          if (node !== undefined) this.#inTime.letGo(node, holder);
        }
        const now = view.anchorMs + by.clock.uptime();
        for (const news of this.ledger.written(change.group, change.value, removed, now))
          this.#learn(news, by, at);
      }
    } catch (cause) {
      if (!(cause instanceof Violation)) throw cause;
      this.#fail(cause);
    }
  }

  #learn(news: LedgerNews, by: Coordinating, at: WrittenAt): void {
    const { entry, kind } = news;
    this.count(`lease: ${kind}`);
    const { story } = this.#world;
    if (story.isTold)
      story.tell("lease", `${entry.group}: token ${entry.token} ${kind} (${this.#nameOf(entry.nodeId)})`);
    if (kind === "returned") {
      const node = this.#nodeOf(entry.nodeId);
      if (node !== undefined) requireEnded(node, entry, this.machines.swapUnder(entry.group, entry.token));
    }
    if (kind === "committed") this.#later.push(() => this.#lookAtCommit(entry, by, at));
    if (kind === "granted") this.#later.push(() => this.#lookAtGrant(entry, by, at));
  }

  /** Enough other voters may be believed to serve. */
  async #lookAtCommit(entry: Entry, by: Coordinating, { store, askedAt }: WrittenAt): Promise<void> {
    const group = await store.group(entry.group);
    const nodes = await store.nodes(entry.group);
    if (group === null || group.value.mode !== "quorum") return;
    const voters = nodes.filter(({ value }) => value.voter && value.membership !== "pending");
    if (!voters.some(({ value }) => value.id === entry.nodeId) || voters.length <= 2) return;
    const { holders, broken } = this.ledger.record(entry.group);
    const flying = holders.filter(({ phase }) => phase === "in-flight");
    const down = new Set([...flying, ...broken].map(({ nodeId }) => nodeId));
    const { twin } = this.#viewOf(by);
    const serving = voters.filter(
      ({ value }) =>
        value.id !== entry.nodeId &&
        !down.has(value.id) &&
        twin.maySeemServing(value.id, slackOf(by), askedAt),
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
  async #lookAtGrant(entry: Entry, by: Coordinating, { store, askedAt }: WrittenAt): Promise<void> {
    const group = await store.group(entry.group);
    if (group === null || group.value.mode !== "quorum") return;
    const { twin } = this.#viewOf(by);
    if (!twin.surelyLeads(entry.nodeId, slackOf(by), askedAt)) return;
    // While leadership moves two may say that it is theirs, and nobody knows which of them is right.
    const others = (await store.nodes(entry.group)).filter(({ value }) => value.id !== entry.nodeId);
    if (others.some(({ value }) => twin.mayLead(value.id, slackOf(by), askedAt))) return;
    const jobs = await store.activeJobsOf(entry.group);
    // What was ordered while the decision was on its way to the database, it could not know of.
    const waiting = jobs.filter(
      ({ value }) => value.nodeId !== entry.nodeId && (this.#jobsSince.get(value.id) ?? 0) < askedAt,
    );
    if (waiting.length > 0)
      this.#fail(
        new Violation(
          "leader-last",
          `${this.#nameOf(entry.nodeId)} leads and got the lease, while ${waiting.length} others wait.`,
        ),
      );
  }

  #viewOf(by: Coordinating): View {
    const known = this.#views.get(by);
    if (known !== undefined) return known;
    const twin = new PresenceTwin(() => by.clock.uptime(), this.#world.heartbeatMs);
    const view: View = { twin, anchorMs: 0, sinceMs: 0 };
    this.#views.set(by, view);
    return view;
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
