import { releaseName, showBuild } from "../../../protocol/build.ts";
import type { Swap } from "../journal.ts";
import { because, type Draft, reasonOf, STOPPED } from "./draft.ts";
import { resumeThen } from "./resume-then.ts";
import { NOTED, type Row, UNASKED } from "./row.ts";
import { tooLate } from "./send-commit.ts";
import type { Draining } from "./state.ts";

export const draining: Row<"draining"> = {
  ...UNASKED,
  ...NOTED,
  orders: { ignored: "noted; from here on it cannot be cancelled" },
  tick: {
    to: ["resuming"],
    run: (draft, state) => (draft.now < state.actBy ? state : tooLate(draft, state)),
  },
  "drain-done": {
    to: ["swapping", "resuming"],
    run: (draft, state) => {
      if (draft.now >= state.actBy) return tooLate(draft, state);
      const swap = swapOf(draft, state);
      if (swap === null) {
        const reason = because(
          "no-dist",
          "The state directory has no complete dist, so there is nothing to swap.",
        );
        return resumeThen(draft, state.work, state.token, { ...NOT_ACTED, reason, round: state.round });
      }
      draft.note(swap.jobId, "drain", "The workload is drained.");
      draft.note(
        swap.jobId,
        "swap",
        `Swapping ${showBuild(swap.from.build)} for ${showBuild(swap.to.build)}.`,
      );
      const journal = { ...draft.facts.journal, phase: { kind: "swapping", swap } } as const;
      const op = draft.ask({ kind: "write-journal", journal });
      return { kind: "swapping", work: state.work, swap, step: "journal", op, actBy: state.actBy };
    },
  },
  "drain-failed": {
    to: ["resuming"],
    run: (draft, { work, token, round }, { fault }) => {
      draft.note(work.job.jobId, "drain", `Draining failed: ${reasonOf(fault).message}`);
      return resumeThen(draft, work, token, { ...NOT_ACTED, reason: reasonOf(fault), round });
    },
  },
  "stop-requested": { to: ["exiting"], run: (draft, { work }) => draft.exit(0, STOPPED, work.job.jobId) },
};

const NOT_ACTED = { kind: "not-acted", failed: true } as const;

function swapOf(draft: Draft, { work, token }: Draining): Swap | null {
  const { self, backup, session } = draft.facts;
  if (self.dist === null) return null;
  const { build, minVersion } = work.prepared;
  return {
    jobId: work.job.jobId,
    kind: work.job.kind,
    token,
    instanceId: self.instanceId,
    from: self.dist,
    to: { build, link: `releases/${releaseName(build)}` },
    previousBackup: backup,
    minVersion,
    connected: session !== null,
  };
}
