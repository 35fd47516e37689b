import { showBuild } from "../../../protocol/build.ts";
import type { FinalWord } from "../../../protocol/journal.ts";
import type { Fault } from "../../../protocol/result.ts";
import { type Swap, withFinalWord } from "../journal.ts";
import { because, type Draft, reasonOf, STOPPED } from "./draft.ts";
import { retryMs } from "./facts.ts";
import { consider, isQuarantined } from "./next-job.ts";
import { NOTED, type Row, UNASKED } from "./row.ts";
import type { GoingBack, UpdateState } from "./state.ts";

export const goingBack: Row<"going-back"> = {
  ...UNASKED,
  ...NOTED,
  orders: { ignored: "noted; the old build comes first" },
  "session-opened": {
    to: [],
    run: (draft, state) =>
      state.step === "judge" ? blame(draft, state) : draft.ignore(state, "noted; it changes nothing here"),
  },
  tick: { to: [], run: (draft, state) => due(draft, state) },
  "disk-done": { to: ["exiting"], run: (draft, state) => done(draft, state) },
  "disk-failed": { to: ["exiting"], run: (draft, state, { fault }) => failed(draft, state, fault) },
  "journal-written": { to: ["idle", "preparing", "exiting"], run: (draft, state) => settled(draft, state) },
  "journal-failed": { to: ["exiting"], run: (draft, state, { fault }) => again(draft, state, fault) },
  "stop-requested": {
    to: ["exiting"],
    run: (draft, state) =>
      state.op === null
        ? draft.exit(0, STOPPED, state.swap.jobId)
        : draft.ignore(state, "noted; it is done in a moment"),
  },
};

type Why = Pick<GoingBack, "reason" | "provisional">;

/** In the new process: quarantine first, then back. */
export function goBack(draft: Draft, swap: Swap, why: Why): GoingBack {
  draft.note(swap.jobId, "rollback", `Going back to ${showBuild(swap.from.build)}: ${why.reason.message}`);
  return perform(draft, begun(swap, why), "quarantine");
}

/** `dist` still names the new build, but it is quarantined: going back had begun, and is finished. */
export const finishGoingBack = (draft: Draft, swap: Swap, why: Why): GoingBack =>
  perform(draft, begun(swap, why), "verdict");

/** `dist` names the old build again: put the rest in order and say the last word. */
export const arriveBack = (draft: Draft, swap: Swap, why: Why): GoingBack =>
  perform(draft, begun(swap, why), "restore");

const begun = (swap: Swap, why: Why): GoingBack => ({
  kind: "going-back",
  swap,
  step: "quarantine",
  op: null,
  retryAt: null,
  attempts: 0,
  ...why,
});

function perform(draft: Draft, state: GoingBack, step: GoingBack["step"]): GoingBack {
  const { swap, reason, provisional } = state;
  const { token, jobId, to } = swap;
  const at = (op: number): GoingBack => ({ ...state, step, op, retryAt: null });
  switch (step) {
    case "quarantine":
      return at(
        draft.ask({ kind: "quarantine", entry: { build: to.build, reason, provisional, by: "agent" } }),
      );
    case "verdict":
      return at(
        draft.ask({ kind: "leave-verdict", verdict: { token, jobId, by: "agent", reason, provisional } }),
      );
    case "flip":
      return at(draft.ask({ kind: "flip-back", swap }));
    case "backup":
    case "restore":
      return at(draft.ask({ kind: "restore-backup", backup: swap.previousBackup }));
    case "tidy":
      return at(draft.ask({ kind: "remove-trial", swap, confirmed: false }));
    case "judge":
      return { ...state, step, op: null, retryAt: draft.now + draft.policy.inconclusiveAfterMs };
    case "condemn":
      return at(
        draft.ask({
          kind: "quarantine",
          entry: { build: to.build, reason, provisional: false, by: "agent" },
        }),
      );
    case "absolve":
      return at(draft.ask({ kind: "lift-quarantine", build: to.build }));
    case "word":
      return at(draft.ask({ kind: "write-journal", journal: lastJournal(draft, state) }));
  }
}

/** The step is on the disk: which comes next. */
function done(draft: Draft, state: GoingBack): UpdateState {
  switch (state.step) {
    case "quarantine":
      return perform(draft, state, "verdict");
    case "verdict":
      return perform(draft, state, "flip");
    case "flip":
      return perform(draft, state, "backup");
    case "backup":
      return leave(draft, state);
    case "restore":
      draft.learn({ backup: state.swap.previousBackup });
      // A guard on a full disk goes back even when it cannot place the entry; it lies ready until the trial goes.
      return perform(draft, state, isCondemned(draft, state) ? "tidy" : "condemn");
    case "tidy":
      return judge(draft, state);
    case "condemn":
      return perform(draft, state, "tidy");
    case "absolve":
      return perform(draft, state, "word");
    case "judge":
    case "word":
      return state;
  }
}

function failed(draft: Draft, state: GoingBack, fault: Fault): UpdateState {
  // The verdict only explains, and the old build restores the backup: neither keeps the node on a bad build.
  if (state.step === "verdict") return perform(draft, state, "flip");
  if (state.step === "backup") return leave(draft, state);
  return again(draft, state, fault);
}

const isCondemned = (draft: Draft, { provisional, swap }: GoingBack): boolean =>
  provisional || isQuarantined(draft.facts, swap.to.build);

function leave(draft: Draft, { swap, reason }: GoingBack): UpdateState {
  return draft.exit(75, reason, swap.jobId);
}

/** Was it the build, or was the coordinator away? */
function judge(draft: Draft, state: GoingBack): UpdateState {
  if (!state.provisional) return perform(draft, state, "word");
  if (draft.facts.session !== null) return blame(draft, state);
  return perform(draft, state, "judge");
}

/** The old build has a session where the new one had none: the quarantine becomes firm. */
const blame = (draft: Draft, state: GoingBack): GoingBack =>
  perform(draft, { ...state, provisional: false }, "condemn");

function due(draft: Draft, state: GoingBack): GoingBack {
  if (state.retryAt === null || draft.now < state.retryAt) return state;
  if (state.step !== "judge") return perform(draft, state, state.step);
  const build = showBuild(state.swap.to.build);
  const reason = because(
    "inconclusive",
    `Neither ${build} nor the build before it could reach the coordinator.`,
  );
  return perform(draft, { ...state, reason }, "absolve");
}

function lastJournal(draft: Draft, { swap, reason, provisional }: GoingBack) {
  const word: FinalWord["word"] = provisional ? "inconclusive" : "rolled-back";
  const said = { token: swap.token, jobId: swap.jobId, word, reason };
  return withFinalWord(draft.facts.journal, said, { jobEnded: !provisional });
}

/** The word is durable: be free for the next job, or, when nothing was proven, for the same one again. */
function settled(draft: Draft, { swap, reason, provisional }: GoingBack): UpdateState {
  const { jobId, from, to } = swap;
  draft.note(jobId, "rollback", `Back on ${showBuild(from.build)}: ${reason.message}`);
  draft.tell({ kind: "forget-verdict" });
  if (!provisional) {
    draft.learn({ outcome: { jobId, build: to.build, reason, result: "rolled-back" } });
    draft.tell({ kind: "collect-garbage", releases: true });
  }
  return consider(draft);
}

function again(draft: Draft, state: GoingBack, fault: Fault): UpdateState {
  if (draft.facts.stopping) return draft.exit(0, STOPPED, state.swap.jobId);
  const attempts = state.attempts + 1;
  if (attempts === 1)
    draft.note(state.swap.jobId, "rollback", `${reasonOf(fault).message} It is tried again.`);
  return { ...state, op: null, attempts, retryAt: draft.now + retryMs(draft.policy, attempts) };
}
