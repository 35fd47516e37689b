import { type Build, showBuild } from "../../../protocol/build.ts";
import type { Fault } from "../../../protocol/result.ts";
import { type Draft, reasonOf, STOPPED } from "./draft.ts";
import { retryMs } from "./facts.ts";
import { advance, begin, consider, targetOf } from "./next-job.ts";
import { judgePreparation } from "./prepare-verdict.ts";
import { NOTED, type Row, UNASKED } from "./row.ts";
import type { Preparing, UpdateState } from "./state.ts";
import { hearOfWords } from "./words.ts";

export const preparing: Row<"preparing"> = {
  ...UNASKED,
  ...NOTED,
  orders: {
    to: ["idle"],
    run: (draft, state, event) => {
      // One journal write at a time: a hold that is being lifted must not come back with it.
      if (state.step !== "lift-hold") hearOfWords(draft, event);
      if (draft.facts.orders.desired?.jobId === state.job.jobId) return state;
      // What is being written to the disk is waited for; the job is dropped after it.
      if (state.step !== "work") return state;
      draft.tell({ kind: "stop-preparing", prepare: state.op });
      draft.note(state.job.jobId, "cancelled", "The job is not wanted any more; preparing stops.");
      return consider(draft);
    },
  },
  "prepare-progressed": { to: [], run: (_draft, state, event) => ({ ...state, progress: event.progress }) },
  "prepare-done": {
    to: ["prepared", "reserving", "idle"],
    run: (draft, { job }, { prepared }) => {
      draft.note(job.jobId, "prepare", `${showBuild(prepared.build)} is ready on disk.`);
      return advance(draft, { job, prepared, rounds: 0 }, null);
    },
  },
  "prepare-failed": { to: ["idle"], run: (draft, state, { fault }) => failed(draft, state, fault) },
  "journal-written": {
    to: ["idle"],
    run: (draft, state, { op }) => (op === state.op ? lifted(draft, state) : state),
  },
  "journal-failed": {
    to: ["idle"],
    run: (draft, state, { op, fault }) => (op === state.op ? tryLater(draft, state, fault) : state),
  },
  "disk-done": {
    to: ["idle"],
    run: (draft, state) => {
      if (state.step === "condemn") return ended(draft, state);
      const target = targetOf(draft.facts, state.job);
      const { quarantine } = draft.facts;
      draft.learn({ quarantine: quarantine.filter(({ build }) => build.buildHash !== target?.buildHash) });
      return lifted(draft, state);
    },
  },
  "disk-failed": {
    to: ["idle"],
    run: (draft, state, { fault }) =>
      state.step === "condemn" ? ended(draft, state) : tryLater(draft, state, fault),
  },
  "stop-requested": {
    to: ["exiting"],
    run: (draft, state) => {
      if (state.step === "work") draft.tell({ kind: "stop-preparing", prepare: state.op });
      return draft.exit(0, STOPPED, state.job.jobId);
    },
  },
};

/** What stood in the way is lifted: on with the job, if it is still the one. */
function lifted(draft: Draft, state: Preparing): UpdateState {
  if (draft.facts.orders.desired?.jobId !== state.job.jobId) return consider(draft);
  return begin(draft, state.job, state.attempt);
}

function failed(draft: Draft, state: Preparing, fault: Fault): UpdateState {
  const judged = judgePreparation(fault);
  const target = targetOf(draft.facts, state.job);
  if (judged === "may-pass" && nextAttempt(draft, state) < draft.policy.prepareAttempts) {
    return tryLater(draft, state, fault);
  }
  draft.note(state.job.jobId, state.progress.step, `Preparing failed: ${reasonOf(fault).message}`);
  if (judged !== "bad-build" || target === null) return end(draft, state, target, fault);
  const reason = reasonOf(fault);
  draft.note(state.job.jobId, state.progress.step, `${showBuild(target)} is quarantined.`);
  const entry = { build: target, reason, provisional: false, by: "agent" } as const;
  return { ...state, step: "condemn", reason, op: draft.ask({ kind: "quarantine", entry }) };
}

/** While the coordinator is away so may be what is fetched: that is no fault of the job, however long it takes. */
const nextAttempt = ({ facts }: Draft, { attempt }: Preparing): number =>
  facts.session === null ? Math.max(1, attempt) : attempt + 1;

function tryLater(draft: Draft, state: Preparing, fault: Fault): UpdateState {
  const { job, progress } = state;
  const attempts = nextAttempt(draft, state);
  const waitMs = retryMs(draft.policy, attempts);
  const seconds = Math.round(waitMs / 1000);
  draft.note(job.jobId, progress.step, `${reasonOf(fault).message} Trying again in ${seconds} s.`);
  return consider(draft, { jobId: job.jobId, attempts, until: draft.now + waitMs, reason: reasonOf(fault) });
}

/** The quarantine entry is written, or cannot be: the job has failed either way. */
function ended(draft: Draft, state: Preparing): UpdateState {
  const reason = state.reason ?? { code: "prepare-failed", message: "Preparing failed." };
  return end(draft, state, targetOf(draft.facts, state.job), reason);
}

function end(draft: Draft, { job }: Preparing, build: Build | null, fault: Fault): UpdateState {
  draft.learn({ outcome: { jobId: job.jobId, build, reason: reasonOf(fault), result: "failed" } });
  return consider(draft);
}
