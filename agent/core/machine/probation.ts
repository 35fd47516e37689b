import { showBuild } from "../../../protocol/build.ts";
import type { Reason } from "../../../protocol/job.ts";
import { confirmNow } from "./confirming.ts";
import { because, type Draft, STOPPED } from "./draft.ts";
import type { Facts } from "./facts.ts";
import { goBack } from "./going-back.ts";
import { NOTED, type Row, UNASKED } from "./row.ts";
import type { Probation, UpdateState } from "./state.ts";

/**
 * How many probations more a new build gets that finds the coordinator away, as it was before the swap. Then the old one
 * is asked: a coordinator that was away for a moment must not leave a node for ever on a build that cannot reach it.
 */
const PATIENCE = 10;

export const probation: Row<"probation"> = {
  ...UNASKED,
  ...NOTED,
  orders: {
    to: ["confirming"],
    run: (draft, state, { confirm }) => {
      const { instanceId, running } = draft.facts.self;
      const { swap } = state;
      if (confirm === null) return draft.ignore(state, "nothing but our confirm counts in probation");
      if (confirm.token !== swap.token) return draft.ignore(state, "the confirm is for another token");
      if (confirm.instanceId !== instanceId)
        return draft.ignore(state, "the confirm is for another instance");
      if (running.buildHash !== swap.to.build.buildHash) {
        return draft.ignore(state, "this process does not run the build on probation");
      }
      return confirmNow(draft, swap);
    },
  },
  "session-opened": {
    to: [],
    run: (draft, state) => {
      if (!state.reached) draft.note(state.swap.jobId, "health", "The new build has a session.");
      const isFirst = state.patient && !state.reached;
      const deadline = isFirst ? draft.now + draft.policy.probationMs : state.deadline;
      return { ...state, reached: true, deadline };
    },
  },
  tick: { to: ["going-back"], run: (draft, state) => expire(draft, state) },
  "stop-requested": { to: ["exiting"], run: (draft, { swap }) => draft.exit(0, STOPPED, swap.jobId) },
};

function expire(draft: Draft, state: Probation): UpdateState {
  const { swap, deadline, reached, patient } = state;
  if (draft.now < deadline) return state;
  const away = draft.facts.session === null;
  if (away && !reached && !swap.connected && !patient) {
    // The old build had no session either, so this says nothing about the new one. The guard is told to wait.
    draft.note(swap.jobId, "restart", "The coordinator is away, as it was before the swap; waiting for it.");
    draft.tell({ kind: "suspend-deadline" });
    return {
      ...state,
      patient: true,
      late: false,
      deadline: draft.now + PATIENCE * draft.policy.probationMs,
    };
  }
  return goBack(draft, swap, { reason: reasonFor(draft.facts, state), provisional: away });
}

function reasonFor({ session, health }: Facts, { swap, reached, late }: Probation): Reason {
  const build = showBuild(swap.to.build);
  if (late && !reached) {
    return because(
      "not-confirmed",
      `${build} ended or hung before it was confirmed, until its probation was over.`,
    );
  }
  if (session === null && !reached) {
    return because("did-not-connect", `${build} could not reach the coordinator in its probation.`);
  }
  if (session === null) {
    return because("lost-connection", `${build} had lost the coordinator when its probation ended.`);
  }
  if (!health.healthy) {
    const detail = health.detail === undefined ? "" : ` (${health.detail})`;
    return because("unhealthy", `${build} was not healthy when its probation ended${detail}.`);
  }
  if (health.caughtUp === false) {
    return because("not-caught-up", `${build} had not caught up when its probation ended.`);
  }
  return because("not-confirmed", `${build} was not confirmed by the coordinator in its probation.`);
}
