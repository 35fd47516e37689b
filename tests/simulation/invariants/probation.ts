/**
 * Of a process on probation: its build is not quarantined, and it does not stay so for longer than a probation lasts,
 * but for the time in which it is kept from everything.
 */
import { DEFAULT_POLICY } from "../../../agent/core/machine/facts.ts";
import { type NodeMachine, ROOT } from "../node.ts";
import { swapOf } from "./machine.ts";
import { Violation } from "./violation.ts";

const { probationMs } = DEFAULT_POLICY;
/** One that finds the coordinator away, as it was before the swap: its own, ten to wait for it, one to be confirmed. */
const PATIENT_MS = 12 * probationMs;
const SLACK_MS = 2_000;

type OnProbation = { readonly instanceId: string | null; readonly limitMs: number; spentMs: number };

export class ProbationRules {
  readonly #on = new Map<NodeMachine, OnProbation>();
  #lookedAt = 0;

  /** A node's process has come to a state. */
  came(node: NodeMachine, state: string): void {
    this.#on.delete(node);
    if (state !== "probation" && state !== "confirming") return;
    const swap = swapOf(node);
    if (swap === null) throw new Violation("probation", `${node.name} is in ${state} for no swap.`);
    const { version, buildHash } = swap.to.build;
    if (node.disk.tree.find(`${ROOT}/state/quarantine/${buildHash}`, false) !== null)
      throw new Violation(
        "probation",
        `${node.name} came to ${state} with ${version}, which is quarantined.`,
      );
    if (state === "confirming") return;
    const limitMs = (swap.connected ? probationMs : PATIENT_MS) / node.parts.rate + SLACK_MS;
    this.#on.set(node, { instanceId: node.instanceId, limitMs, spentMs: 0 });
  }

  /** As often as anything happens: nothing has changed since the last time, but that time has passed. */
  look(now: number): void {
    const passed = now - this.#lookedAt;
    this.#lookedAt = now;
    for (const [node, one] of this.#on) {
      if (node.instanceId !== one.instanceId) this.#on.delete(node);
      else if (!node.isFrozen) one.spentMs += passed;
      if (one.spentMs > one.limitMs)
        throw new Violation(
          "probation",
          `${node.name} has been on probation for ${Math.round(one.spentMs)} ms, and it is over after ${Math.round(one.limitMs)} ms.`,
        );
    }
  }
}
