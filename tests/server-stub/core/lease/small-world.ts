/**
 * A group of honest agents, a bad network and a coordinator made of the real cores, moved by a list of numbers.
 * What must always hold is checked at every step; a number that can do nothing does nothing.
 */
import type { Build } from "../../../../protocol/build.ts";
import type { Heartbeat, Hello } from "../../../../protocol/frames.ts";
import { quorumOf } from "../../../../protocol/quorum.ts";
import { commit } from "../../../../server-stub/core/lease/commit.ts";
import { breakLease, expire, restore, resume } from "../../../../server-stub/core/lease/end.ts";
import { holderOf, type LeaseRecord, NO_LEASE } from "../../../../server-stub/core/lease/record.ts";
import { reserve } from "../../../../server-stub/core/lease/reserve.ts";
import { settle } from "../../../../server-stub/core/lease/settle.ts";
import type { LeasePolicy, LeaseView } from "../../../../server-stub/core/lease/view.ts";
import {
  ailment,
  hear,
  newestOf,
  open,
  type Presence,
} from "../../../../server-stub/core/presence/presence.ts";
import { HonestAgent, type Request } from "./honest-agent.ts";
import { POLICY } from "./world.ts";

const OLD: Build = { version: "1.0.0", buildHash: "a".repeat(64) };
const NEW: Build = { version: "1.1.0", buildHash: "b".repeat(64) };

/** Kinds of steps; those that are likely to lead somewhere have several numbers. */
const KINDS = 26;

type Message = {
  readonly from: HonestAgent;
  readonly instance: string;
  readonly body: Hello | Heartbeat | Request;
};

export class SmallWorld {
  readonly agents: readonly HonestAgent[];
  lease: LeaseRecord = NO_LEASE;
  now = 1_000_000;
  #policy: LeasePolicy = POLICY;
  #presence = new Map<string, Presence>();
  #confirming: { token: number; instanceId: string } | null = null;
  #startedAtMs = 0;
  #wire: Message[] = [];
  #backup: LeaseRecord = NO_LEASE;
  #count = 0;
  #given = 0;
  readonly #mayRestore: boolean;
  /** What happened, so that a run that shows nothing can be told from one that does. */
  readonly done = { commits: 0, confirmed: 0, wentBack: 0, broken: 0 };

  constructor(voters: number, options: { readonly mayRestore: boolean }) {
    this.#mayRestore = options.mayRestore;
    this.agents = Array.from(
      { length: voters },
      (_, index) => new HonestAgent(`n${index}`, OLD, () => this.#name("i")),
    );
  }

  step(choice: number): void {
    const agent = this.agents[choice % this.agents.length];
    const what = Math.floor(choice / this.agents.length) % KINDS;
    if (agent !== undefined) this.#do(what, agent, Math.floor(choice / this.agents.length / KINDS));
    this.#check();
  }

  #do(what: number, agent: HonestAgent, detail: number): void {
    switch (what) {
      case 0:
        if (agent.up) this.#send(agent, agent.hello);
        return;
      case 1:
      case 2:
      case 3:
        if (agent.up && agent.session !== "") this.#send(agent, agent.heartbeat());
        return;
      case 4:
      case 5:
        this.#sendIf(agent, agent.reserve(agent.runs === OLD ? NEW : OLD));
        return;
      case 6:
        this.#sendIf(agent, agent.commit(this.now));
        return;
      case 7:
      case 8: {
        const token = agent.flip(agent.runs === OLD ? NEW : OLD, this.now);
        if (token !== null) this.#mustHold(agent, token);
        return;
      }
      case 9:
        agent.start();
        return;
      case 10:
        if (detail % 8 === 0) agent.crash();
        return;
      case 11: {
        const token = detail % 3 === 0 ? agent.goBack() : null;
        if (token !== null) this.#mustHold(agent, token);
        return;
      }
      case 12:
        this.now += detail % 20 === 0 ? 300_000 : 1_000 * (detail % 7);
        return;
      case 13:
        if (detail % 3 === 0) this.#coordinator(Math.floor(detail / 3));
        return;
      case 14:
        if (agent.up && agent.token !== null && detail % 4 === 0) agent.giveUp();
        return;
      case 15:
      case 16:
      case 17:
      case 18:
        this.#calm();
        return;
      default:
        // Half of the time the newest message, so that a request is often answered in time.
        this.#deliver(detail % 2 === 0 ? this.#wire.length - 1 : Math.floor(detail / 2), detail);
    }
  }

  #coordinator(detail: number): void {
    switch (detail % 6) {
      case 0:
        this.#presence = new Map();
        this.#startedAtMs = this.now;
        this.lease = resume(this.lease, this.#policy, this.now);
        return;
      case 1:
        this.lease = expire(this.lease, this.now).lease;
        return;
      case 2: {
        const token = this.lease.holders[0]?.token ?? 0;
        const inFlight = this.lease.holders[0]?.phase === "in-flight";
        const step = breakLease(this.lease, { token, reason: "test" }, this.#policy, this.now);
        if (inFlight && step.outcome.ok) this.done.broken += 1;
        this.lease = step.lease;
        return;
      }
      case 3:
        this.#backup = this.lease;
        return;
      case 4:
        if (!this.#mayRestore) return;
        this.lease = restore(this.#backup, this.now);
        this.#policy = { ...this.#policy, epoch: this.#policy.epoch + 1 };
        this.#presence = new Map();
        this.#confirming = null;
        this.#startedAtMs = this.now;
        return;
      default:
        return;
    }
  }

  /** A moment in which the network works: everybody who is up is heard. */
  #calm(): void {
    this.now += 500;
    for (const agent of this.agents) {
      if (!agent.up) continue;
      if (agent.session === "")
        this.#take({ from: agent, instance: agent.instance, body: agent.hello }, true);
      this.#take({ from: agent, instance: agent.instance, body: agent.heartbeat() }, true);
    }
  }

  /** Takes a message off the wire, or a copy of it, in any order; its answer may be lost. */
  #deliver(place: number, detail: number): void {
    const index = place % Math.max(1, this.#wire.length);
    const message = this.#wire[index];
    if (message === undefined) return;
    const isCopied = detail % 5 === 0;
    if (!isCopied) this.#wire.splice(index, 1);
    const isHeard = detail % 7 !== 0 && message.from.instance === message.instance;
    this.#take(message, isHeard);
  }

  #take({ from, body }: Message, isHeard: boolean): void {
    if ("kind" in body) {
      this.#answer(from, body, isHeard);
      return;
    }
    if (body.type === "hello") {
      const session = this.#name("s");
      this.#presence.set(from.id, open(body, session, this.#presence.get(from.id), this.now));
      if (isHeard && from.up) from.welcome(session);
      return;
    }
    this.#hear(from, body, isHeard);
  }

  #hear(from: HonestAgent, body: Heartbeat, isHeard: boolean): void {
    const heard = hear(this.#presence.get(from.id), body, this.now);
    if (!heard.counted) {
      if (isHeard && heard.why === "unknown-session" && from.up) from.session = "";
      return;
    }
    this.#presence.set(from.id, heard.presence);
    const { hello } = heard.presence;
    const report = { ...body, nodeId: from.id, instanceId: hello.instanceId, build: hello.build };
    const before = this.lease;
    const step = settle(this.lease, report, this.#policy, this.now);
    this.lease = step.lease;
    for (const settled of step.outcome.settled) {
      if (settled.phase === "in-flight") this.#mustBeOver(settled.token);
      if (settled.proof === "confirmed") this.done.confirmed += 1;
      if (settled.proof === "rolled-back") this.done.wentBack += 1;
    }
    for (const holder of before.holders) {
      const gone = holder.phase === "in-flight" && holderOf(this.lease, holder.nodeId) === undefined;
      if (gone && holder.nodeId !== from.id)
        throw new Error(`${from.id} returned the lease of ${holder.nodeId}`);
    }
    const own = holderOf(this.lease, from.id);
    const isNew = own?.phase === "in-flight" && own.instanceId !== hello.instanceId;
    if (own !== undefined && isNew && own.to?.version === hello.build.version) {
      this.#confirming = { token: own.token, instanceId: hello.instanceId };
    }
    if (!isHeard) return;
    from.acknowledged(step.outcome.acknowledged);
    const confirm = this.#confirming;
    if (confirm !== null && own?.token === confirm.token) from.confirm(confirm.token, confirm.instanceId);
  }

  #answer(from: HonestAgent, request: Request, isHeard: boolean): void {
    const view = this.#view(from, request.kind === "reserve" ? request.to : from.dist);
    if (request.kind === "reserve") {
      const step = reserve(this.lease, request.session, view, this.now);
      const isFresh = step.lease.lastToken !== this.lease.lastToken;
      this.lease = step.lease;
      const reply = step.outcome.ok ? step.outcome.value : null;
      if (reply !== null && isFresh) this.#mustRise(reply.token);
      if (isHeard) from.answered(request, reply);
      return;
    }
    const before = this.lease;
    const step = commit(this.lease, { ...request, needMs: 10_000 }, view, this.now);
    this.lease = step.lease;
    if (step.outcome.ok) {
      this.done.commits += 1;
      this.#mustAfford(from, before);
    }
    if (isHeard) from.answered(request, step.outcome.ok ? step.outcome.value : null);
  }

  /** A token is never given twice, and every new one is greater than all before. */
  #mustRise(token: number): void {
    if (token <= this.#given) throw new Error(`token ${token} was given after ${this.#given}`);
    this.#given = token;
  }

  /** A flip, forth or back, happens under an in-flight lease or one that was broken and still counts as down. */
  #mustHold(agent: HonestAgent, token: number): void {
    const own = holderOf(this.lease, agent.id);
    const isHeld = own?.phase === "in-flight" && own.token === token;
    const isBroken = this.lease.broken.some((each) => each.nodeId === agent.id && each.token === token);
    if (isHeld || isBroken || this.#mayRestore) return;
    throw new Error(`${agent.id} flipped under token ${token} without a lease`);
  }

  /** When an in-flight lease comes back, its node has durably confirmed, gone back, or never acted. */
  #mustBeOver(token: number): void {
    for (const { journal, id, mayFlip } of this.agents) {
      const isAtIt =
        (journal.kind === "swapping" || journal.kind === "committing") && journal.token === token;
      if (isAtIt || mayFlip?.token === token) throw new Error(`${id} is still at work under token ${token}`);
    }
  }

  /** The dumb twin of the budget: count those who serve beside the one who goes down. */
  #mustAfford(agent: HonestAgent, lease: LeaseRecord): void {
    const serving = this.agents.filter((other) => {
      const isDown =
        lease.broken.some((each) => each.nodeId === other.id) ||
        holderOf(lease, other.id)?.phase === "in-flight";
      return (
        other !== agent && !isDown && ailment(this.#presence.get(other.id), this.#timing(), this.now) === null
      );
    });
    const needed = quorumOf(this.agents.length) + (this.agents.length >= 5 ? 1 : 0);
    if (serving.length < needed)
      throw new Error(`${agent.id} went down while only ${serving.length} others served`);
  }

  #check(): void {
    if (this.#mayRestore) return;
    if (this.lease.holders.length > 1) throw new Error("two hold the lease of one group");
    const atWork = this.agents.filter((agent) => agent.journal.kind === "swapping");
    const counted = this.lease.holders.length + this.lease.broken.length;
    if (atWork.length > counted)
      throw new Error(`${atWork.length} nodes are swapping, ${counted} count as down`);
  }

  #view(agent: HonestAgent, to: Build): LeaseView {
    const members = this.agents.map(({ id }) => {
      const why = ailment(this.#presence.get(id), this.#timing(), this.now);
      const serving = { serving: why === null, ailment: why };
      return {
        id,
        name: id,
        voter: true,
        ...serving,
        role: null,
        reportsRole: false,
        canHandOver: false,
        old: true,
      };
    });
    const presence = this.#presence.get(agent.id);
    return {
      policy: this.#policy,
      group: { mode: "quorum", spare: null, members, acceptOutage: false, gate: null },
      asker: {
        nodeId: agent.id,
        jobId: "j-000000000000",
        from: presence?.hello.build ?? null,
        to,
        newest: newestOf(presence),
        noTurn: null,
      },
    };
  }

  #timing() {
    return { heartbeatMs: 5_000, offlineAfterMissed: 3, startedAtMs: this.#startedAtMs };
  }

  #send(from: HonestAgent, body: Message["body"]): void {
    this.#wire = [...this.#wire.slice(-30), { from, instance: from.instance, body }];
  }

  #sendIf(from: HonestAgent, body: Request | null): void {
    if (body !== null) this.#send(from, body);
  }

  #name(letter: string): string {
    this.#count += 1;
    return `${letter}${this.#count}`;
  }
}
