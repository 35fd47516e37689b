/**
 * Where a start begins, from what is found on the disk: a pure decision. What `dist` names decides; the journal and
 * `trial/` say what it means.
 *
 * Invariants:
 * - It never flips forward, and flips back only when `to` is quarantined already: going back had begun.
 * - Whatever is torn, missing or of an unknown format, there is a state to start in, and a finding that says so.
 * - Doing it twice comes to the same: every command of the plan may be cut short and is given again by the next start.
 * Source: docs/ARCHITECTURE.md, "After a crash"; docs/adr/0041-what-a-start-finds.md.
 */
import { showBuild } from "../../protocol/build.ts";
import type { Reason } from "../../protocol/job.ts";
import type { QuarantineEntry } from "../../protocol/journal.ts";
import type { UptimeMs } from "../../protocol/time.ts";
import { EMPTY_JOURNAL, type Journal, type Placed, type Swap, type Verdict } from "./journal.ts";
import type { Command } from "./machine/command.ts";
import { goOnConfirming } from "./machine/confirming.ts";
import { because, Draft } from "./machine/draft.ts";
import type { Facts, Policy, Self } from "./machine/facts.ts";
import { arriveBack, finishGoingBack } from "./machine/going-back.ts";
import { resumeAfterCrash, undoSwapThen } from "./machine/resume-then.ts";
import type { UpdateState } from "./machine/state.ts";
import type { Machine } from "./machine/transition.ts";

/** A file that was looked for. */
export type Look<T> =
  | { readonly kind: "found"; readonly value: T }
  | { readonly kind: "missing" }
  | { readonly kind: "unreadable"; readonly why: string };

/** What is left of `trial/`. */
export type TrialFound = {
  readonly to: string;
  readonly from: string;
  /** The ready link to `from`; whoever goes back moves it over `dist`. */
  readonly hasBack: boolean;
  /** The agent's own record; null when it is torn. */
  readonly swap: Swap | null;
  readonly since: UptimeMs | null;
  /** It was written in this boot, so that `since` can be compared. */
  readonly thisBoot: boolean;
  /** Systemd stopped the unit in probation at least once: an operator was at work. */
  readonly wasStopped: boolean;
};

/** What a start finds in the state directory. */
export type Found = {
  readonly journal: Look<Journal>;
  /** What `dist` names, if it is complete. */
  readonly dist: Placed | null;
  readonly backup: Placed | null;
  readonly trial: Look<TrialFound>;
  readonly quarantine: readonly QuarantineEntry[];
  readonly verdict: Look<Verdict>;
  readonly floor: Look<unknown>;
};

/** Something out of order that was found, and what is made of it. */
export type Finding = { readonly level: "info" | "warn"; readonly code: string; readonly message: string };

export type Recovery = {
  readonly machine: Machine;
  readonly commands: readonly Command[];
  readonly findings: readonly Finding[];
};

export function recover(found: Found, self: Omit<Self, "dist">, now: UptimeMs, policy: Policy): Recovery {
  const findings: Finding[] = [];
  const journal = found.journal.kind === "found" ? found.journal.value : EMPTY_JOURNAL;
  const facts: Facts = {
    self: { ...self, dist: found.dist },
    session: null,
    orders: { desired: null, turn: null, waiting: null },
    journal,
    backup: found.backup,
    quarantine: found.quarantine,
    health: { healthy: false, detail: "not asked yet" },
    outcome: null,
    writing: null,
    stopping: false,
    lastOp: 0,
  };
  const draft = new Draft(facts, now, policy);
  const find = (level: Finding["level"], code: string, message: string) =>
    findings.push({ level, code, message });
  sayWhatIsTorn(found, find);
  const swap = swapInForce(found, journal, find);
  const update =
    swap === null ? withoutSwap(draft, found) : withSwap(draft, ofThisSwap(found, swap), swap, find);
  return { machine: { facts: draft.facts, update }, commands: draft.commands, findings };
}

type Find = (level: Finding["level"], code: string, message: string) => void;

function sayWhatIsTorn({ journal, trial, verdict, floor, quarantine, dist }: Found, find: Find): void {
  if (journal.kind === "unreadable") {
    find(
      "warn",
      "journal-unreadable",
      `The journal cannot be read (${journal.why}); the trial is asked instead.`,
    );
  }
  if (trial.kind === "unreadable") {
    find("warn", "trial-unreadable", `state/trial cannot be read (${trial.why}); the journal alone decides.`);
  }
  if (verdict.kind === "unreadable") {
    find("warn", "verdict-unreadable", `state/verdict cannot be read (${verdict.why}); its reason is lost.`);
  }
  if (floor.kind === "unreadable") {
    const until = "nothing older than what runs is installed until a build is confirmed";
    find("warn", "floor-unreadable", `state/floor.json cannot be read (${floor.why}); ${until}.`);
  }
  for (const { build, reason } of quarantine.filter((entry) => entry.reason.code === "unreadable")) {
    find("warn", "quarantine-unreadable", `${showBuild(build)}: ${reason.message}`);
  }
  if (dist === null) {
    find(
      "warn",
      "no-dist",
      "dist names no complete release, so this node cannot be updated until one is installed.",
    );
  }
}

/**
 * The swap that may have been under way: the journal's, or, when the journal is lost, the one that the trial
 * recorded. A trial whose token had its last word already is a leftover.
 */
function swapInForce({ trial }: Found, journal: Journal, find: Find): Swap | null {
  const { phase } = journal;
  if (phase.kind === "swapping" || phase.kind === "confirmed") return phase.swap;
  if (trial.kind !== "found") return null;
  const { swap } = trial.value;
  if (swap !== null && swap.token > journal.lastToken) {
    find(
      "warn",
      "journal-behind",
      `state/trial knows of a swap (token ${swap.token}) that the journal does not; it is gone on with.`,
    );
    return swap;
  }
  find("warn", "trial-left-over", "state/trial belongs to no swap that is under way; it is removed.");
  return null;
}

/** No swap was under way: at most the workload has to resume and a last word to be said. */
function withoutSwap(draft: Draft, found: Found): UpdateState {
  const { phase } = draft.facts.journal;
  if (found.trial.kind !== "missing") draft.tell({ kind: "discard-trial" });
  if (phase.kind === "committing") {
    return resumeAfterCrash(draft, phase.jobId, phase.token, NOT_ACTED);
  }
  if (found.journal.kind === "unreadable") {
    draft.learn({ writing: draft.ask({ kind: "write-journal", journal: draft.facts.journal }) });
  }
  if (found.verdict.kind !== "missing") draft.tell({ kind: "forget-verdict" });
  draft.tell({ kind: "collect-garbage", releases: hasJustEnded(draft.facts.journal) });
  return { kind: "idle", backoff: null };
}

const RESTARTED = because("restarted", "The agent ended before dist was swapped.");
const NOT_ACTED = { kind: "not-acted", reason: RESTARTED, failed: false, round: 0 } as const;

/** A job ended, and its last word is not acknowledged yet: what it left may not have been removed either. */
const hasJustEnded = ({ finalWords }: Journal): boolean =>
  finalWords.some(({ word }) => word === "confirmed" || word === "rolled-back");

function withSwap(draft: Draft, found: Found, swap: Swap, find: Find): UpdateState {
  const { journal } = draft.facts;
  const { phase } = journal;
  if (phase.kind !== "swapping" && phase.kind !== "confirmed") {
    // The trial is as durable as the journal that was lost; what is said must not sound idle meanwhile.
    draft.learn({ journal: { ...journal, phase: { kind: "swapping", swap } } });
  }
  const names = found.dist?.link ?? null;
  const condemned = found.quarantine.find(({ build }) => build.buildHash === swap.to.build.buildHash);
  if (names === swap.to.link) {
    if (condemned !== undefined) return finishGoingBack(draft, swap, whyBack(found, swap, condemned));
    if (phase.kind === "confirmed") return goOnConfirming(draft, swap);
    const deadline = probationEnds(found, draft);
    return { kind: "probation", swap, deadline, patient: false, reached: false, late: deadline <= draft.now };
  }
  if (names === swap.from.link) {
    const wentBack = phase.kind === "confirmed" || condemned !== undefined || guardWentBack(found, swap);
    if (wentBack) return arriveBack(draft, swap, whyBack(found, swap, condemned));
    return undoSwapThen(draft, null, swap, NOT_ACTED);
  }
  const message = `dist names ${names ?? "nothing complete"}, which is neither side of the swap under way.`;
  find("warn", "dist-changed", `${message} The swap is given up, and dist stays as it is.`);
  const then = { ...NOT_ACTED, reason: because("dist-changed", message), failed: true };
  // dist.bak is left alone as well: "restoring" it to what it names changes nothing.
  return undoSwapThen(draft, null, { ...swap, previousBackup: found.backup }, then);
}

/** What was found, less a trial or a verdict that belongs to another swap. */
function ofThisSwap(found: Found, { token }: Swap): Found {
  const { trial, verdict } = found;
  const foreign = trial.kind === "found" && trial.value.swap !== null && trial.value.swap.token !== token;
  const stale = verdict.kind === "found" && verdict.value.token !== token;
  return {
    ...found,
    trial: foreign ? { kind: "missing" } : trial,
    verdict: stale ? { kind: "missing" } : verdict,
  };
}

/** Whoever goes back takes the ready link away, or leaves a verdict on this very token. */
const guardWentBack = ({ trial, verdict }: Found, swap: Swap): boolean =>
  (trial.kind === "found" && trial.value.from === swap.from.link && !trial.value.hasBack) ||
  verdict.kind === "found";

function whyBack(
  { verdict }: Found,
  swap: Swap,
  condemned: QuarantineEntry | undefined,
): { reason: Reason; provisional: boolean } {
  // The agent's own verdict knows most; the guard's was laid ready before anything had happened.
  const said = verdict.kind === "found" ? verdict.value : null;
  const best = said?.by === "agent" ? said : (condemned ?? said);
  if (best !== null) return { reason: best.reason, provisional: best.provisional };
  const build = showBuild(swap.to.build);
  return { reason: because("went-back", `${build} was not kept; this node went back.`), provisional: false };
}

/** By uptime since the swap; from now on after a reboot, and after an operator had stopped the unit meanwhile. */
function probationEnds({ trial }: Found, { now, policy }: Draft): UptimeMs {
  if (trial.kind !== "found") return now + policy.probationMs;
  const { since, thisBoot, wasStopped } = trial.value;
  if (since === null || !thisBoot || wasStopped || since > now) return now + policy.probationMs;
  return since + policy.probationMs;
}
