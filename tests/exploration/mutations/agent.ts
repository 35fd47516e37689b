/** Mistakes in the update core of the agent, and in its clock. */
import type { Mutation } from "./mutation.ts";

const ONE = ["update", null, null] as const;
const MACHINE = "agent/core/machine";

export const AGENT_MUTATIONS: readonly Mutation[] = [
  {
    name: "returned before the agent has durably confirmed",
    edits: [
      {
        file: `${MACHINE}/confirming.ts`,
        from: `(state.step === "journal" ? perform(draft, state, "trial") : kept(draft, state))`,
        to: `(state.step === "journal" ? perform(draft, state, "word") : kept(draft, state))`,
      },
    ],
    world: { jobs: ONE, faults: {} },
    breaks: "the word comes last",
  },
  {
    name: "no act-within",
    edits: [
      {
        file: `${MACHINE}/committing.ts`,
        from: `const actBy = sentAt + actWithinMs;`,
        to: `const actBy = sentAt + actWithinMs + 10 ** 9;`,
      },
    ],
    world: { jobs: ONE, faults: { sleep: 1, break: 1 } },
    breaks: "no flip without a lease",
  },
  {
    name: "act-within counted from the answer",
    edits: [
      {
        file: `${MACHINE}/committing.ts`,
        from: `const actBy = sentAt + actWithinMs;`,
        to: `const actBy = draft.now + actWithinMs;`,
      },
    ],
    world: { jobs: ONE, faults: { late: 1, pause: 1, break: 1 } },
    breaks: "no flip without a lease",
  },
  {
    name: "a clock that stops in suspend",
    edits: [
      {
        // The clock is the world's, as it is an effect in the agent.
        file: "tests/exploration/world/time.ts",
        from: `const LOST_IN_SUSPEND = 0;`,
        to: `const LOST_IN_SUSPEND = 1;`,
      },
    ],
    world: { jobs: ONE, faults: { sleep: 1, break: 1 } },
    breaks: "no flip without a lease",
  },
  {
    name: "a flip without a lease at a rollback",
    edits: [
      {
        file: `${MACHINE}/committing.ts`,
        from: `      const { work, token, round } = state;\n      const settleBy`,
        to: `      const { work, token, round } = state;
      if (work.job.kind === "rollback") {
        const op = draft.ask({ kind: "drain", jobId: work.job.jobId, limitMs: 0 });
        return { kind: "draining", work, token, op, actBy: draft.now + 30_000, round };
      }
      const settleBy`,
      },
    ],
    world: { jobs: ["rollback", null, null], faults: { gate: 1 } },
    breaks: "no flip without a lease",
  },
  {
    name: "a confirm taken by another instance",
    edits: [
      {
        file: `${MACHINE}/probation.ts`,
        from: `if (confirm.instanceId !== instanceId)`,
        to: `if (confirm.instanceId === "")`,
      },
      { file: `${MACHINE}/probation.ts`, from: `const { instanceId, running } =`, to: `const { running } =` },
    ],
    world: { jobs: ONE, faults: { stop: 1, late: 1 } },
    breaks: "confirm for another instance",
  },
  {
    name: "quarantine ignored at a restart in the middle of going back",
    edits: [
      {
        file: "agent/core/recover.ts",
        from: `if (condemned !== undefined) return finishGoingBack(`,
        to: `if (condemned !== undefined && draft.now < 0) return finishGoingBack(`,
      },
    ],
    world: { jobs: ONE, faults: { crash: 1 } },
    breaks: "quarantined is never tried",
  },
  {
    name: "trial/ written after the flip",
    edits: [
      {
        file: `${MACHINE}/swapping.ts`,
        from: `const op = draft.ask({ kind: "write-trial", swap, ...readyFor(swap) });
      return { ...state, step: "trial", op };`,
        to: `return { ...state, step: "flip", op: draft.ask({ kind: "flip", swap, actBy: state.actBy }) };`,
      },
      {
        file: `${MACHINE}/swapping.ts`,
        from: `if (state.step === "flip") {`,
        to: `if (state.step === "flip") {
        return { ...state, step: "trial", op: draft.ask({ kind: "write-trial", swap, ...readyFor(swap) }) };
      }
      if (state.step === "trial") {`,
      },
    ],
    world: { jobs: ONE, faults: {} },
    breaks: "a build on probation is guarded",
  },
  {
    name: "a commit sent before the journal says so",
    edits: [
      {
        file: `${MACHINE}/handing-over.ts`,
        from: `const op = draft.ask({ kind: "write-journal", journal });`,
        to: `draft.ask({ kind: "write-journal", journal });
      const op = draft.ask({ kind: "commit", session: draft.facts.session ?? "", token, needMs: 30_000 });`,
      },
    ],
    world: { jobs: ONE, faults: {} },
    breaks: "journal before commit",
  },
  {
    name: "back without quarantine",
    edits: [
      {
        file: `${MACHINE}/going-back.ts`,
        from: `return perform(draft, begun(swap, why), "quarantine");`,
        to: `return perform(draft, begun(swap, why), "flip");`,
      },
    ],
    world: { jobs: ONE, faults: {} },
    breaks: "quarantine before going back",
  },
];
