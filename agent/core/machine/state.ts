/**
 * Where the update of a node stands. One state at a time; each carries only what it needs.
 *
 * "Dies here" says what happens if the process ends in that state: what the next start finds and does
 * (`recover.ts`). "An answer" is the event that carries the state's `op`.
 */
import type { Desired, UPDATE_STATES } from "../../../protocol/frames.ts";
import type { Reason } from "../../../protocol/job.ts";
import type { JobId } from "../../../protocol/names.ts";
import type { UptimeMs } from "../../../protocol/time.ts";
import type { LeaseToken } from "../../../protocol/token.ts";
import type { Swap } from "../journal.ts";
import type { PreparedBuild, Progress } from "../ports.ts";
import type { Op } from "./facts.ts";

/** A job whose build is ready on the disk. `rounds`: how often it had a lease and gave it back unused. */
export type Work = { readonly job: Desired; readonly prepared: PreparedBuild; readonly rounds: number };

/** Nothing to do, or nothing that may be done now: the job is refused, has ended, or waits to be tried again.
 *  Entered at start and when a job ends; left by orders with a job that is not over.
 *  Dies here: nothing is lost. */
export type Idle = {
  readonly kind: "idle";
  /** The job whose preparation failed in a way that may pass, and when it is tried again. */
  readonly backoff: Backoff | null;
};

export type Backoff = {
  readonly jobId: JobId;
  readonly attempts: number;
  readonly until: UptimeMs;
  readonly reason: Reason;
};

/** A job was taken: what stands in its way is lifted if it was asked for by name (`lift-…`), then its build is
 *  fetched, verified, unpacked and self-tested aside (`work`); a build that proves bad is quarantined (`condemn`).
 *  Nothing that runs is touched.
 *  Entered from idle; left by the answer, or when the job is withdrawn.
 *  Dies here: `.prepare-*` is removed at the next start, a download is resumed; the job begins again when desired. */
export type Preparing = {
  readonly kind: "preparing";
  readonly job: Desired;
  readonly step: "lift-quarantine" | "lift-hold" | "work" | "condemn";
  readonly op: Op;
  readonly attempt: number;
  readonly progress: Progress;
  /** Why the build is condemned. */
  readonly reason: Reason | null;
};

/** The build is verified and self-tested on disk; nothing live has changed. Waits for its turn, for a session, for
 *  the last word to be acknowledged, or for a denial to pass.
 *  Entered when prepared, and when a lease was given back; left by the turn, or when the job is withdrawn.
 *  Dies here: the release is kept, and verified again when the job is desired. */
export type Prepared = {
  readonly kind: "prepared";
  readonly work: Work;
  /** The lease came to nothing: why, and when it is asked for again. */
  readonly denied: { readonly until: UptimeMs; readonly reason: Reason } | null;
  /** Why it waits right now. */
  readonly reason: Reason | null;
};

/** A request for the lease is out. Always waits for its answer, so that a grant is never lost sight of.
 *  Entered from prepared; left by the answer.
 *  Dies here: a reservation that was granted expires. */
export type Reserving = {
  readonly kind: "reserving";
  readonly work: Work;
  readonly op: Op;
  readonly sentAt: UptimeMs;
};

/** The lease is reserved and kept renewed, while the workload gives leadership away and still serves.
 *  Entered by a grant; left when leadership is away, or by anything that ends the reservation or the job.
 *  Dies here: the reservation expires; the next start begins with a fresh workload. */
export type HandingOver = {
  readonly kind: "handing-over";
  readonly work: Work;
  readonly token: LeaseToken;
  readonly op: Op;
  /** The renewal that is out. */
  readonly renewal: { readonly op: Op; readonly sentAt: UptimeMs } | null;
  readonly renewAt: UptimeMs;
  readonly reservedUntil: UptimeMs;
};

/** First `committing` is written to the journal (`write`), then the commit is sent (`send`): from then on the lease
 *  may be in flight, whatever is heard of it. It cannot be cancelled any more. Refused only because the reports of
 *  the group do not show yet that leadership has moved, it is sent again a little later (`settle`): resuming would
 *  undo the handover.
 *  Entered from handing over, and after a drain that took too long; left by the answer.
 *  Dies here: no swap happened; the next start resumes and says `not-acted`. */
export type Committing = {
  readonly kind: "committing";
  readonly work: Work;
  readonly token: LeaseToken;
  readonly step: "write" | "send" | "settle";
  /** Null while it waits for `retryAt`. */
  readonly op: Op | null;
  readonly retryAt: UptimeMs | null;
  /** Until when it is sent again; null before the first such refusal. */
  readonly settleBy: UptimeMs | null;
  /** Uptime just before the request is sent; `actWithin` counts from here. */
  readonly sentAt: UptimeMs;
  readonly round: number;
};

/** The lease is in flight, and the workload stops serving, within what is left of `actWithin`.
 *  Entered by a granted commit; left when drained, or too late.
 *  Dies here: as in committing. */
export type Draining = {
  readonly kind: "draining";
  readonly work: Work;
  readonly token: LeaseToken;
  readonly op: Op;
  readonly actBy: UptimeMs;
  readonly round: number;
};

/** Nothing was flipped and nothing will be: what a swap left is removed (`undo`), handover and drain are undone by
 *  the `resume` hook (`resume`), and where the lease may be in flight, `not-acted` is written down (`write`).
 *  Entered from every state between reserving and the flip, and at start after a crash there; left when done.
 *  Dies here: the next start does the same again. */
export type Resuming = {
  readonly kind: "resuming";
  /** Null after a crash: the job begins again if it is still desired. */
  readonly work: Work | null;
  readonly jobId: JobId;
  readonly token: LeaseToken;
  readonly step: "undo" | "resume" | "write";
  /** Null while a failed step waits for `retryAt`. */
  readonly op: Op | null;
  readonly retryAt: UptimeMs | null;
  readonly attempts: number;
  readonly after: AfterResume;
  /** What `dist.bak` is restored to by `undo`. */
  readonly swap: Swap | null;
};

/** What comes after resuming: return a reservation, say `not-acted`, or commit once more under the same token. */
export type AfterResume = {
  readonly kind: "cancel" | "not-acted" | "commit-again";
  readonly reason: Reason;
  /** The job is over, and has failed. */
  readonly failed: boolean;
  /** Commits that were sent so far. */
  readonly round: number;
};

/** Drained, in flight, in time: the journal says `swapping` (`journal`), then `trial/` is made durable (`trial`),
 *  then `dist.bak` and `dist` are flipped (`flip`), the last being the commit point.
 *  Entered from draining; left by exiting, or by resuming when it cannot be done in time or on this disk.
 *  Dies here: what `dist` names decides: `from` is resuming with `undo`, `to` is probation. */
export type Swapping = {
  readonly kind: "swapping";
  readonly work: Work;
  readonly swap: Swap;
  readonly step: "journal" | "trial" | "flip";
  readonly op: Op;
  readonly actBy: UptimeMs;
};

/** This process runs the new build, unconfirmed: the guard counts starts, this counts uptime, and the coordinator
 *  decides that it is good.
 *  Entered at start only; left by our confirm, or when the time is up.
 *  Dies here: the guard takes a try, and the next start is in probation again; with no try left it is `from`. */
export type Probation = {
  readonly kind: "probation";
  readonly swap: Swap;
  readonly deadline: UptimeMs;
  /** There was no session when its time was up, and the old build had had none either: it was given longer, once. */
  readonly patient: boolean;
  /** A session was open at least once. */
  readonly reached: boolean;
  /** The time was up before this process started, so that it says nothing about what this one can do. */
  readonly late: boolean;
};

/** The coordinator said keep it. Journal `confirmed` (`journal`), `trial/` away, which decides any race with the
 *  guard (`trial`), the floor (`floor`), and the last word (`word`), each durable before the next.
 *  Entered by our confirm; left by the word, or to exit if the guard was faster.
 *  Dies here: `confirmed` and `dist == to` goes on; `dist == from` is a rollback. */
export type Confirming = {
  readonly kind: "confirming";
  readonly swap: Swap;
  readonly step: "journal" | "trial" | "floor" | "word";
  readonly op: Op | null;
  readonly retryAt: UptimeMs | null;
  readonly attempts: number;
};

/** Back to the old build. In the new process: quarantine, verdict, `dist -> from`, `dist.bak` restored, exit. In the
 *  old one: `dist.bak` restored (`restore`), the quarantine made sure of (`condemn`), `trial/` removed (`tidy`), and
 *  when the new build had no session, wait whether this one gets one (`judge`); then the quarantine is made firm
 *  (`condemn`) or lifted (`absolve`), and the last word is written (`word`).
 *  Entered when probation ends, and at start when `dist` is back or `to` is quarantined; left by the word, or to exit.
 *  Dies here: every step is done again by the next start; `to` being quarantined means never probation again. */
export type GoingBack = {
  readonly kind: "going-back";
  readonly swap: Swap;
  readonly step:
    | "quarantine"
    | "verdict"
    | "flip"
    | "backup"
    | "restore"
    | "tidy"
    | "judge"
    | "condemn"
    | "absolve"
    | "word";
  readonly op: Op | null;
  readonly retryAt: UptimeMs | null;
  readonly attempts: number;
  readonly reason: Reason;
  readonly provisional: boolean;
};

/** The process is about to end: 75 so that systemd starts what `dist` names now, 0 when it was told to stop.
 *  Entered by the flip in either direction, or by a stop; never left.
 *  Dies here: that is the point. */
export type Exiting = {
  readonly kind: "exiting";
  readonly code: 0 | 75;
  readonly why: Reason;
  readonly jobId: JobId | null;
};

export type UpdateState =
  | Idle
  | Preparing
  | Prepared
  | Reserving
  | HandingOver
  | Committing
  | Draining
  | Resuming
  | Swapping
  | Probation
  | Confirming
  | GoingBack
  | Exiting;

export type StateKind = (typeof UPDATE_STATES)[number];
export type StateOf<K extends StateKind> = Extract<UpdateState, { kind: K }>;
