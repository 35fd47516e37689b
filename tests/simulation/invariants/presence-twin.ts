/**
 * What the coordinator may believe of its nodes, told by what has reached it and nothing else: a deliberately simple
 * twin of its presence. It leans to the lenient side by the little while that its decisions take.
 */
import type { AgentFrame, CoordinatorFrame, Heartbeat } from "../../../protocol/frames.ts";
import type { NodeId } from "../../../protocol/names.ts";

/** More than can come while a decision is on its way to a database. */
const KEPT = 40;

type Heard = { readonly at: number; readonly heartbeat: Heartbeat };

export class PresenceTwin {
  readonly #heard = new Map<NodeId, Heard[]>();
  readonly #sessions = new Map<NodeId, string>();
  readonly #now: () => number;
  #forgotAt = Number.NEGATIVE_INFINITY;
  readonly #heartbeatMs: number;

  constructor(now: () => number, heartbeatMs: number) {
    this.#now = now;
    this.#heartbeatMs = heartbeatMs;
  }

  /** The process has ended, and knows nobody any more. What it had decided by then may still be written. */
  forget(): void {
    this.#forgotAt = this.#now();
    this.#sessions.clear();
  }

  receiving(nodeId: NodeId, frames: readonly AgentFrame[]): void {
    const at = this.#now();
    for (const frame of frames) {
      if (frame.type !== "heartbeat") continue;
      const heard = this.#heard.get(nodeId) ?? [];
      heard.push({ at, heartbeat: frame });
      this.#heard.set(nodeId, heard.slice(-KEPT));
    }
  }

  received(nodeId: NodeId, answers: readonly CoordinatorFrame[]): void {
    for (const answer of answers) if (answer.type === "welcome") this.#sessions.set(nodeId, answer.session);
  }

  /** Every heartbeat that might be the one that counted then, or just before. */
  candidates(nodeId: NodeId, slackMs: number, now: number): readonly Heartbeat[] {
    const heard = (this.#heard.get(nodeId) ?? []).filter(
      ({ at }) => at <= now && (at >= this.#forgotAt || now < this.#forgotAt),
    );
    const fresh = heard.filter(({ at }) => now - at <= 2 * this.#heartbeatMs + slackMs);
    const settled = fresh.filter(({ at }) => now - at > slackMs).at(-1);
    return fresh
      .filter((each) => each === settled || now - each.at <= slackMs)
      .map(({ heartbeat }) => heartbeat);
  }

  maySeemServing(nodeId: NodeId, slackMs: number, at: number): boolean {
    return this.candidates(nodeId, slackMs, at).some(
      ({ health }) => health.healthy && health.caughtUp !== false,
    );
  }

  mayLead(nodeId: NodeId, slackMs: number, at: number): boolean {
    return this.candidates(nodeId, slackMs, at).some(({ health }) => health.role === "leader");
  }

  surelyLeads(nodeId: NodeId, slackMs: number, at: number): boolean {
    const candidates = this.candidates(nodeId, slackMs, at);
    return candidates.length > 0 && candidates.every(({ health }) => health.role === "leader");
  }
}
