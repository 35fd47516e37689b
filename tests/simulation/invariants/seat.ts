/**
 * Of several coordinators one decides: what is written after somebody has taken the seat is written by that process
 * alone. And whoever takes it calls nobody away whom it had no time to hear.
 */
import { DEFAULTS } from "../../../protocol/defaults.ts";
import type { Change } from "../../../server-stub/store/records.ts";
import { Violation } from "./violation.ts";

export class SeatRules {
  #claim: string | null = null;
  #process: object | null = null;

  written(name: string, changes: readonly Change[], process: object): void {
    const claim = claimIn(changes);
    const isOwn = claim === this.#claim && process === this.#process;
    if (!isOwn && takesSeat(changes)) {
      if (claim === this.#claim)
        throw new Violation("one-decides", `${name} has taken the seat under a claim that was used before.`);
      this.#claim = claim;
      this.#process = process;
      return;
    }
    if (this.#process !== null && this.#process !== process)
      throw new Violation(
        "one-decides",
        `${name} wrote (${changes.map(({ kind }) => kind).join(", ")}), and another has the seat.`,
      );
  }
}

/** Whoever writes it has the seat from then on. */
export const takesSeat = (changes: readonly Change[]): boolean =>
  claimIn(changes) !== null && !changes.some(({ kind }) => kind === "in-seat");

function claimIn(changes: readonly Change[]): string | null {
  for (const change of changes) if (change.kind === "meta") return change.value.seat?.claim ?? null;
  return null;
}

/** `listenedMs`: for how long the coordinator had listened when it decided. */
export function requireHeardOut(changes: readonly Change[], listenedMs: number, heartbeatMs: number): void {
  const isCalledAway = changes.some((change) => change.kind === "raise" && change.alert === "node_offline");
  const graceMs = heartbeatMs * DEFAULTS.offlineAfterMissed;
  if (isCalledAway && listenedMs < graceMs)
    throw new Violation(
      "heard-out",
      `A node was called offline after ${listenedMs} ms, and it has ${graceMs} ms to be heard.`,
    );
}
