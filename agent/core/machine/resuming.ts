import type { Fault } from "../../../protocol/result.ts";
import { type Draft, reasonOf, STOPPED } from "./draft.ts";
import { retryMs } from "./facts.ts";
import { advance, consider } from "./next-job.ts";
import { perform } from "./resume-then.ts";
import { NOTED, type Row, UNASKED } from "./row.ts";
import { sendCommit } from "./send-commit.ts";
import type { Resuming, UpdateState } from "./state.ts";

export const resuming: Row<"resuming"> = {
  ...UNASKED,
  ...NOTED,
  orders: { ignored: "noted; what was begun is undone first" },
  tick: {
    to: [],
    run: (draft, state) =>
      state.retryAt === null || draft.now < state.retryAt ? state : perform(draft, state, state.step),
  },
  "disk-done": {
    to: [],
    run: (draft, state) => {
      if (state.swap !== null) draft.learn({ backup: state.swap.previousBackup });
      return perform(draft, state, "resume");
    },
  },
  "disk-failed": { to: ["exiting"], run: (draft, state, { fault }) => again(draft, state, fault) },
  "resume-done": {
    to: ["prepared", "reserving", "idle", "preparing", "committing", "exiting"],
    run: (draft, state) => resumed(draft, state),
  },
  "resume-failed": {
    to: ["prepared", "reserving", "idle", "preparing", "committing", "exiting"],
    run: (draft, state, { fault }) => {
      // The lease is not kept for it: the workload's own health tells the coordinator how this node is.
      draft.note(state.jobId, null, `The resume hook failed: ${reasonOf(fault).message}`);
      return resumed(draft, state);
    },
  },
  "journal-written": {
    to: ["prepared", "reserving", "idle", "preparing", "exiting"],
    run: (draft, state) => settle(draft, state),
  },
  "journal-failed": { to: ["exiting"], run: (draft, state, { fault }) => again(draft, state, fault) },
  "stop-requested": { to: ["exiting"], run: (draft, { jobId }) => draft.exit(0, STOPPED, jobId) },
};

function resumed(draft: Draft, state: Resuming): UpdateState {
  const { work, token, after } = state;
  const { session, stopping } = draft.facts;
  switch (after.kind) {
    case "cancel":
      if (session !== null) draft.tell({ kind: "cancel", session, token });
      return settle(draft, state);
    case "commit-again":
      if (work !== null && !stopping) return sendCommit(draft, work, token, after.round + 1);
      return perform(draft, state, "write");
    case "not-acted":
      return perform(draft, state, "write");
  }
}

/** All is undone: the job has failed, or waits before it tries again. */
function settle(draft: Draft, { work, jobId, after }: Resuming): UpdateState {
  const { policy, now } = draft;
  draft.note(jobId, null, `Back to normal, nothing was swapped: ${after.reason.message}`);
  if (after.failed) {
    const build = work?.prepared.build ?? null;
    draft.learn({ outcome: { jobId, build, reason: after.reason, result: "failed" } });
    return consider(draft);
  }
  if (work === null) return consider(draft);
  const rounds = work.rounds + 1;
  const until = now + retryMs(policy, rounds);
  return advance(draft, { ...work, rounds }, { until, reason: after.reason });
}

/** A step on the disk did not succeed: later again, for as long as it takes; the word must not be lost. */
function again(draft: Draft, state: Resuming, fault: Fault): UpdateState {
  if (draft.facts.stopping) return draft.exit(0, STOPPED, state.jobId);
  const attempts = state.attempts + 1;
  if (attempts === 1) draft.note(state.jobId, null, `${reasonOf(fault).message} It is tried again.`);
  return { ...state, op: null, attempts, retryAt: draft.now + retryMs(draft.policy, attempts) };
}
