import type { Event } from "../../../agent/core/machine/event.ts";
import type { Build } from "../../../protocol/build.ts";
import type { ModelNode } from "./model-node.ts";

type Lease = {
  token: number;
  phase: "reserved" | "in-flight";
  instanceId: string;
  jobId: string;
  from: Build;
  to: Build;
};
type OrdersEvent = Extract<Event, { kind: "orders" }>;

/** The coordinator's side of one lease, as simple as it can be said: what it may grant and what returns it. */
export class ModelCoordinator {
  lease: Lease | null = null;
  lastToken = 0;
  desired: OrdersEvent["desired"] = null;
  hasTurn = false;
  /** Tokens that came back, and by which word. */
  readonly returned: { token: number; word: string }[] = [];

  want(desired: OrdersEvent["desired"]): void {
    this.desired = desired;
  }

  giveTurn(hasTurn: boolean): void {
    this.hasTurn = hasTurn;
  }

  reserve(node: ModelNode, build: Build, jobId: string): number | null {
    if (this.lease?.phase === "in-flight") return null;
    if (this.lease === null || this.lease.jobId !== jobId) {
      this.lastToken += 1;
      const { instanceId, running } = node.machine.facts.self;
      this.lease = { token: this.lastToken, phase: "reserved", instanceId, jobId, from: running, to: build };
    }
    return this.lease.token;
  }

  renew = (token: number): boolean => this.lease?.phase === "reserved" && this.lease.token === token;

  commit(token: number): boolean {
    if (this.lease?.token !== token) return false;
    this.lease = { ...this.lease, phase: "in-flight" };
    return true;
  }

  cancel(token: number): void {
    if (this.lease?.phase === "reserved" && this.lease.token === token) this.lease = null;
  }

  expire(): void {
    if (this.lease?.phase === "reserved") this.lease = null;
  }

  /** Takes in what the node says of itself, and answers with orders. */
  heartbeat(node: ModelNode): OrdersEvent {
    const { journal, self } = node.machine.facts;
    const word = journal.finalWords.find(({ token }) => token === this.lease?.token);
    if (word !== undefined) this.#end(word.word);
    else if (this.lease?.phase === "in-flight" && this.lease.instanceId !== self.instanceId) {
      const isBack = journal.phase.kind === "idle" && self.running.buildHash === this.lease.from.buildHash;
      if (isBack) this.#end("back");
    }
    const { lease } = this;
    const mayConfirm =
      lease?.phase === "in-flight" &&
      lease.instanceId !== self.instanceId &&
      self.running.buildHash === lease.to.buildHash &&
      node.machine.facts.health.healthy;
    return {
      kind: "orders",
      desired: this.desired,
      turn: this.hasTurn && this.desired !== null ? { jobId: this.desired.jobId, peers: [] } : null,
      waiting: null,
      confirm: mayConfirm ? { token: lease.token, instanceId: self.instanceId } : null,
      acknowledged: journal.finalWords
        .map(({ token }) => token)
        .filter((token) => token !== this.lease?.token),
    };
  }

  #end(word: string): void {
    if (this.lease === null) return;
    this.returned.push({ token: this.lease.token, word });
    if (word !== "not-acted" && word !== "inconclusive" && this.desired?.jobId === this.lease.jobId)
      this.desired = null;
    this.lease = null;
  }
}
