/** Drives the lease's real core by words, as the transcripts have them. */
import type { Build } from "../../../../protocol/build.ts";
import type { FinalWord, JournalReport } from "../../../../protocol/journal.ts";
import type { FleetPolicy, Freeze, Window } from "../../../../protocol/policy.ts";
import type { Result } from "../../../../protocol/result.ts";
import { budgetOf } from "../../../../server-stub/core/lease/budget.ts";
import { commit } from "../../../../server-stub/core/lease/commit.ts";
import { breakLease, expire, remove, restore, resume } from "../../../../server-stub/core/lease/end.ts";
import { cancel, renew } from "../../../../server-stub/core/lease/hold.ts";
import { type Holder, type LeaseRecord, NO_LEASE } from "../../../../server-stub/core/lease/record.ts";
import { reserve } from "../../../../server-stub/core/lease/reserve.ts";
import { settle } from "../../../../server-stub/core/lease/settle.ts";
import type { Denied, LeasePolicy, LeaseView, Member } from "../../../../server-stub/core/lease/view.ts";
import { gateOf } from "../../../../server-stub/core/window/gate.ts";

export const POLICY: LeasePolicy = {
  ttlMs: 60_000,
  actWithinMs: 10_000,
  maxActWithinMs: 610_000,
  overdueAfterMs: 225_000,
  retryAfterMs: 5_000,
  epoch: 0,
};

const OLD: Build = { version: "1.0.0", buildHash: "a".repeat(64) };
const NEW: Build = { version: "1.1.0", buildHash: "b".repeat(64) };

type NodeState = Member & { session: string; instance: string; echoed: boolean; turn: boolean };

export class LeaseWorld {
  lease: LeaseRecord = NO_LEASE;
  now = 0;
  #policy = POLICY;
  #mode: "quorum" | "independent" = "quorum";
  #spare: number | null = null;
  #acceptOutage = false;
  #fleet: Pick<FleetPolicy, "windows" | "freeze"> = { windows: [], freeze: null };
  #own: { windows: Window[] | null; freeze: Freeze | null } = { windows: null, freeze: null };
  readonly #nodes = new Map<string, NodeState>();

  /** Runs one line; answers what came of it and, when it changed, the lease. */
  run(line: string): string {
    const [verb = "", ...words] = line.split(/\s+/);
    const before = this.lease;
    const said = this.#do(verb, words);
    const changed = this.lease === before ? [] : [this.#showLease()];
    return [...said, ...changed].join("\n");
  }

  #do(verb: string, words: readonly string[]): string[] {
    const [name = "", second = ""] = words;
    switch (verb) {
      case "quorum":
      case "independent":
        this.#mode = verb;
        for (const each of words) this.#addNode(each);
        return [];
      case "spare":
        this.#spare = Number(name);
        return [];
      case "accept-outage":
        this.#acceptOutage = true;
        return [];
      case "nonvoter":
        return this.#each(words, { voter: false });
      case "serves":
        return this.#each(words, { serving: true, ailment: null });
      case "down":
        return this.#each(words, { serving: false, ailment: "is offline", role: null });
      case "leader":
        return this.#each(words, { role: "leader", reportsRole: true });
      case "follower":
        return this.#each(words, { role: "follower", reportsRole: true });
      case "hands-over":
        return this.#each(words, { canHandOver: true });
      case "updated":
        return this.#each(words, { old: false });
      case "no-turn":
        return this.#each(words, { turn: false });
      case "turn":
        return this.#each(words, { turn: true });
      case "observer":
        return this.#each(words, { role: "observer", reportsRole: true });
      case "quiet":
        return this.#each(words, { role: null });
      case "reports-nothing":
        return this.#each(words, { role: null, reportsRole: false });
      case "window":
        this.#own = {
          ...this.#own,
          windows: name === "fleet" ? null : name === "always" ? [] : [parseWindow(words)],
        };
        return [];
      case "fleet-window":
        this.#fleet = { ...this.#fleet, windows: [parseWindow(words)] };
        return [];
      case "freeze":
        this.#own = { ...this.#own, freeze: parseFreeze(words) };
        return [];
      case "fleet-freeze":
        this.#fleet = { ...this.#fleet, freeze: parseFreeze(words) };
        return [];
      case "thaw":
        this.#own = { ...this.#own, freeze: null };
        this.#fleet = { ...this.#fleet, freeze: null };
        return [];
      case "clock":
        this.now = Date.parse(`${name}Z`);
        return [];
      case "hello":
        return this.#each([name], {
          session: second,
          instance: words[2] ?? second,
          echoed: words[3] !== "unechoed",
        });
      case "wait":
        this.now += seconds(name);
        return [];
      case "reserve": {
        const step = reserve(this.lease, this.#session(name, words), this.#view(name), this.now);
        this.lease = step.lease;
        return [show(step.outcome, (reply) => `token ${token(reply.token)} for ${reply.ttlMs / 1000} s`)];
      }
      case "commit": {
        const needMs = seconds(option(words, "need") ?? "10s");
        const ask = { session: this.#session(name, words), token: parseToken(second), needMs };
        const step = commit(this.lease, ask, this.#view(name), this.now);
        this.lease = step.lease;
        return [show(step.outcome, (reply) => `act within ${reply.actWithinMs / 1000} s`)];
      }
      case "renew": {
        const ask = { session: this.#session(name, words), token: parseToken(second) };
        const step = renew(this.lease, ask, this.#view(name), this.now);
        this.lease = step.lease;
        return [show(step.outcome, (reply) => `for another ${reply.ttlMs / 1000} s`)];
      }
      case "cancel": {
        const ask = { session: this.#session(name, words), token: parseToken(second) };
        const step = cancel(this.lease, ask, this.#view(name));
        this.lease = step.lease;
        return [show(step.outcome, (returned) => (returned ? "returned" : "nothing to return"))];
      }
      case "report":
        return this.#report(name, words.slice(1));
      case "break": {
        const step = breakLease(
          this.lease,
          { token: parseToken(name), reason: "it burned down" },
          this.#policy,
          this.now,
        );
        this.lease = step.lease;
        return [
          show(step.outcome, (holder) => (holder === null ? "was broken already" : `${holder.phase} ended`)),
        ];
      }
      case "expire": {
        const step = expire(this.lease, this.now);
        this.lease = step.lease;
        return [`${step.outcome.length} expired`];
      }
      case "restart":
        this.lease = resume(this.lease, this.#policy, this.now);
        return [];
      case "restore":
        this.lease = restore(this.lease, this.now);
        this.#policy = { ...this.#policy, epoch: this.#policy.epoch + 1 };
        return [];
      case "remove":
        this.#nodes.delete(name);
        this.lease = remove(this.lease, name);
        return [];
      case "budget": {
        const { voters, quorum, spare, serving } = budgetOf(this.#view(name).group, this.lease);
        return [`${voters} voters, quorum ${quorum}, spare ${spare}, serving ${serving.length}`];
      }
      default:
        throw new Error(`no such word: ${verb}`);
    }
  }

  #report(name: string, words: readonly string[]): string[] {
    const journal = parseJournal(words);
    const finalWords = words.flatMap(parseWord);
    const node = this.#node(name);
    const build = words.includes("new") ? NEW : OLD;
    const report = { nodeId: name, instanceId: node.instance, build, journal, finalWords };
    const step = settle(this.lease, report, this.#policy, this.now);
    this.lease = step.lease;
    const { settled, adopted, acknowledged } = step.outcome;
    return [
      ...settled.map((each) => `token ${token(each.token)} returned: ${each.proof} (${each.phase})`),
      ...adopted.map((each) => `token ${token(each)} was not on record`),
      ...(acknowledged.length > 0 ? [`acknowledged ${acknowledged.map(token).join(" ")}`] : []),
      ...(settled.length + adopted.length + acknowledged.length === 0 ? ["no proof of anything"] : []),
    ];
  }

  #each(names: readonly string[], change: Partial<NodeState>): string[] {
    for (const name of names) this.#nodes.set(name, { ...this.#node(name), ...change });
    return [];
  }

  #node(name: string): NodeState {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new Error(`no node ${name}`);
    return node;
  }

  #addNode(name: string): void {
    this.#nodes.set(name, {
      id: name,
      name,
      voter: true,
      serving: true,
      ailment: null,
      role: null,
      reportsRole: false,
      canHandOver: false,
      old: true,
      session: `${name}1`,
      instance: `${name}1`,
      echoed: true,
      turn: true,
    });
  }

  #session(name: string, words: readonly string[]): string {
    return option(words, "session") ?? this.#node(name).session;
  }

  #view(name: string): LeaseView {
    const node = this.#node(name);
    const members = [...this.#nodes.values()];
    const noTurn: Denied = {
      code: "not-your-turn",
      message: `It is not ${name}'s turn.`,
      retryAfterMs: 5_000,
    };
    return {
      policy: this.#policy,
      group: {
        mode: this.#mode,
        spare: this.#spare,
        members,
        acceptOutage: this.#acceptOutage,
        gate: this.#gate(),
      },
      asker: {
        nodeId: name,
        jobId: `job-${name}`,
        from: OLD,
        to: NEW,
        newest: node.echoed ? { session: node.session, instanceId: node.instance } : null,
        noTurn: node.turn ? null : noTurn,
      },
    };
  }

  #gate(): Denied | null {
    return gateOf(this.#fleet, { name: "db", ...this.#own }, this.now);
  }

  #showLease(): string {
    const holders = this.lease.holders.map((holder) => this.#showHolder(holder));
    const broken = this.lease.broken.map((each) => `${each.nodeId} owes a word on ${token(each.token)}`);
    const parts = [...holders, ...broken];
    return `  lease: ${parts.length === 0 ? "free" : parts.join("; ")}`;
  }

  #showHolder(holder: Holder): string {
    const who = `${holder.nodeId} has ${token(holder.token)} ${holder.phase}`;
    if (holder.phase === "in-flight")
      return holder.instanceId === null ? `${who}, committed by nobody knows whom` : who;
    return `${who} until ${showTime(holder.expiresAtMs)}${holder.attempted ? ", attempted" : ""}`;
  }
}

function show<T>(outcome: Result<T, Denied>, granted: (value: T) => string): string {
  return outcome.ok
    ? `granted: ${granted(outcome.value)}`
    : `${outcome.error.code}: ${outcome.error.message}`;
}

/** Seconds from the start, or where a transcript has set the clock the time of day. */
const showTime = (at: number): string =>
  at < 1e9 ? `${at / 1000} s` : new Date(at).toISOString().slice(11, 19);

/** Tokens of a later epoch are written with it: 1/1 is the first of the first. */
const EPOCH = 2 ** 32;
const token = (value: number): string =>
  value < EPOCH ? String(value) : `${Math.floor(value / EPOCH)}/${value % EPOCH}`;

function parseToken(word: string): number {
  const [first = "0", second] = word.split("/");
  return second === undefined ? Number(first) : Number(first) * EPOCH + Number(second);
}

/** "0 22 * * * Europe/Berlin 4h" */
function parseWindow(words: readonly string[]): Window {
  const [timezone = "", span = ""] = words.slice(5);
  return { cron: words.slice(0, 5).join(" "), timezone, durationMs: Number.parseInt(span, 10) * 3_600_000 };
}

/** "until=2026-01-01T00:00 because it snows" */
function parseFreeze(words: readonly string[]): Freeze {
  const until = option(words, "until");
  return {
    reason: words.slice(words.indexOf("because") + 1).join(" "),
    until: until === undefined ? null : Date.parse(`${until}Z`),
    by: "ada",
    at: 0,
  };
}

function seconds(word: string): number {
  if (!/^\d+s$/.test(word)) throw new Error(`not a time: ${word}`);
  return Number.parseInt(word, 10) * 1000;
}

const option = (words: readonly string[], key: string): string | undefined =>
  words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1);

function parseJournal(words: readonly string[]): JournalReport {
  for (const kind of ["committing", "confirmed"] as const) {
    const value = option(words, kind);
    if (value !== undefined) return { kind, token: parseToken(value) };
  }
  const swapping = option(words, "swapping");
  if (swapping === undefined) return { kind: "idle" };
  return { kind: "swapping", token: parseToken(swapping), jobId: "job", from: OLD, to: NEW };
}

function parseWord(word: string): FinalWord[] {
  const match = /^says-(not-acted|confirmed|rolled-back|inconclusive)=(.+)$/.exec(word);
  if (match === null) return [];
  const [, said, value = ""] = match;
  return [{ token: parseToken(value), jobId: "job", word: said as FinalWord["word"], reason: null }];
}
