/**
 * What has become of every token, seen from outside by the records that were written: what the coordinator forgets
 * with a restore is still known here.
 *
 * Checked with each write: tokens only rise and are nobody else's, across restarts and restores; a quorum group has one
 * holder at most, but for what a restore had forgotten; an in-flight lease ends by proof, break or removal alone.
 */
import type { GroupName, NodeId } from "../../../protocol/names.ts";
import { type Holder, holds, type LeaseRecord, NO_LEASE } from "../../../server-stub/core/lease/record.ts";
import { Violation } from "./violation.ts";

export type Phase = "reserved" | "in-flight" | "broken" | "ended";

export type Entry = {
  readonly token: number;
  readonly group: GroupName;
  readonly nodeId: NodeId;
  phase: Phase;
  /** How it ended, or what is odd about it. */
  how: "" | "proof" | "removed" | "given-back";
  /** The coordinator may know less of it than was true: it was given before the last restore. */
  isOld: boolean;
};

export type LedgerNews =
  | { readonly kind: "granted" | "committed" | "broken" | "adopted"; readonly entry: Entry }
  | { readonly kind: "returned"; readonly entry: Entry };

export class Ledger {
  readonly entries = new Map<string, Entry>();
  readonly #records = new Map<GroupName, LeaseRecord>();
  readonly #highest = new Map<GroupName, number>();
  readonly #modes = new Map<GroupName, "quorum" | "independent">();

  entry(group: GroupName, token: number): Entry | undefined {
    return this.entries.get(`${group} ${token}`);
  }

  record(group: GroupName): LeaseRecord {
    return this.#records.get(group) ?? NO_LEASE;
  }

  mode(group: GroupName, mode: "quorum" | "independent"): void {
    this.#modes.set(group, mode);
  }

  /** The store is another one now: what it says is taken as it is, and what it does not know stays true. */
  restored(records: ReadonlyMap<GroupName, LeaseRecord>): void {
    for (const [group, record] of records) this.#records.set(group, record);
    for (const entry of this.entries.values()) entry.isOld = true;
  }

  /** A record was written; `removed`: nodes that were removed with it. */
  written(group: GroupName, after: LeaseRecord, removed: ReadonlySet<NodeId>, now: number): LedgerNews[] {
    const before = this.record(group);
    this.#records.set(group, after);
    const news: LedgerNews[] = [];
    if (after.lastToken < before.lastToken)
      throw new Violation(
        "tokens-rise",
        `lastToken of ${group} fell from ${before.lastToken} to ${after.lastToken}.`,
      );
    for (const holder of after.holders) news.push(...this.#held(group, before, holder));
    for (const { token, nodeId } of after.broken) {
      const entry = this.entry(group, token);
      if (entry === undefined || entry.nodeId !== nodeId)
        throw new Violation(
          "tokens-rise",
          `Token ${token} of ${group} is broken, and was never given to ${nodeId}.`,
        );
      if (entry.phase !== "broken") news.push({ kind: "broken", entry });
      if (!entry.isOld && (entry.phase === "ended" || entry.phase === "reserved"))
        throw new Violation(
          "in-flight-by-commit",
          `Token ${token} of ${group} is broken, and was not in flight.`,
        );
      entry.phase = "broken";
    }
    news.push(...this.#gone(group, before, after, removed));
    this.#oneAtMost(group, after, now);
    return news;
  }

  #held(group: GroupName, before: LeaseRecord, holder: Holder): LedgerNews[] {
    const { token, nodeId, phase } = holder;
    const known = this.entry(group, token);
    const was = before.holders.find((each) => each.token === token);
    if (known !== undefined && known.nodeId !== nodeId)
      throw new Violation(
        "tokens-rise",
        `Token ${token} of ${group} is ${known.nodeId}'s, and was given to ${nodeId}.`,
      );
    if (phase === "reserved") {
      if (was !== undefined) return [];
      const highest = this.#highest.get(group) ?? 0;
      if (known !== undefined || token <= highest)
        throw new Violation(
          "tokens-rise",
          `Token ${token} of ${group} was given anew; the highest was ${highest}.`,
        );
      this.#highest.set(group, token);
      const entry: Entry = { token, group, nodeId, phase, how: "", isOld: false };
      this.entries.set(`${group} ${token}`, entry);
      return [{ kind: "granted", entry }];
    }
    if (known === undefined)
      throw new Violation("tokens-rise", `Token ${token} of ${group} is in flight, and was never given.`);
    if (was?.phase === "in-flight") return [];
    const isCommit = was?.phase === "reserved";
    if (isCommit && known.isOld)
      throw new Violation(
        "old-epoch",
        `Token ${token} of ${group} was given before a restore, and was committed.`,
      );
    if (!isCommit && !known.isOld)
      throw new Violation("in-flight-by-commit", `Token ${token} of ${group} is in flight without a commit.`);
    known.phase = "in-flight";
    return [{ kind: isCommit ? "committed" : "adopted", entry: known }];
  }

  #gone(
    group: GroupName,
    before: LeaseRecord,
    after: LeaseRecord,
    removed: ReadonlySet<NodeId>,
  ): LedgerNews[] {
    const stays = new Set([...after.holders, ...after.broken].map(({ token }) => token));
    const news: LedgerNews[] = [];
    for (const { token, nodeId } of [...before.holders, ...before.broken]) {
      const entry = this.entry(group, token);
      if (stays.has(token) || entry === undefined) continue;
      const wasReserved = entry.phase === "reserved";
      entry.how = removed.has(nodeId) ? "removed" : wasReserved ? "given-back" : "proof";
      entry.phase = "ended";
      if (entry.how === "proof") news.push({ kind: "returned", entry });
    }
    return news;
  }

  #oneAtMost(group: GroupName, record: LeaseRecord, now: number): void {
    const live = record.holders.filter((holder) => holds(holder, now));
    const perNode = new Set(live.map(({ nodeId }) => nodeId));
    if (perNode.size < live.length)
      throw new Violation("one-holder", `A node of ${group} holds two leases at once.`);
    if (this.#modes.get(group) === "independent") return;
    const counted = live.filter(({ token }) => this.entry(group, token)?.isOld !== true);
    if (counted.length > 1) {
      const names = counted.map(({ nodeId, token, phase }) => `${nodeId} (${token}, ${phase})`).join(" and ");
      throw new Violation("one-holder", `${group} has two holders: ${names}.`);
    }
  }
}
