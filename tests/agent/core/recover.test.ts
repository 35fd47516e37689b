import { describe, expect, it } from "vitest";
import {
  EMPTY_JOURNAL,
  type Journal,
  type JournalPhase,
  type Swap,
  type Verdict,
} from "../../../agent/core/journal.ts";
import { transition } from "../../../agent/core/machine/transition.ts";
import { type Found, type Recovery, recover, type TrialFound } from "../../../agent/core/recover.ts";
import { updateReport } from "../../../agent/core/report.ts";
import { build, instance, place, TEST_POLICY } from "./model-node.ts";

const [Z, A, B, C] = [build("0.9.0", "f"), build("1.0.0", "a"), build("1.1.0", "b"), build("1.2.0", "c")];
const SWAP: Swap = {
  jobId: "j-000000000001",
  kind: "update",
  token: 7,
  instanceId: instance(1),
  from: place(A),
  to: place(B),
  previousBackup: place(Z),
  minVersion: null,
  connected: true,
};
const NOW = 500_000;
const reason = { code: "unhealthy", message: "It was not well." };
const condemned = { build: B, reason, at: 1, provisional: false, by: "agent" } as const;
const verdict: Verdict = { token: 7, jobId: SWAP.jobId, by: "agent", reason, provisional: true };

const journal = (phase: JournalPhase, change: Partial<Journal> = {}): Found["journal"] => ({
  kind: "found",
  value: { ...EMPTY_JOURNAL, phase, ...change },
});
const trial = (change: Partial<TrialFound> = {}): Found["trial"] => ({
  kind: "found",
  value: {
    to: SWAP.to.link,
    from: SWAP.from.link,
    hasBack: true,
    swap: SWAP,
    since: NOW - 10_000,
    thisBoot: true,
    wasStopped: false,
    ...change,
  },
});
const missing = { kind: "missing" } as const;
const torn = { kind: "unreadable", why: "it is torn" } as const;
const swapping = journal({ kind: "swapping", swap: SWAP });
const confirmed = journal({ kind: "confirmed", swap: SWAP });

const nothing: Found = {
  journal: missing,
  dist: place(A),
  backup: place(Z),
  trial: missing,
  quarantine: [],
  verdict: missing,
  floor: missing,
};

function start(found: Partial<Found>): Recovery {
  const whole = { ...nothing, ...found };
  const running = whole.dist?.build ?? A;
  return recover(whole, { running, instanceId: instance(2) }, NOW, TEST_POLICY);
}

const summary = ({ machine, commands, findings }: Recovery) => {
  const { update } = machine;
  const step = "step" in update ? ` ${update.step}` : "";
  return [
    `${update.kind}${step}`,
    commands.map(({ kind }) => kind).join(" ") || "nothing",
    findings.map(({ code }) => code).join(" ") || "-",
  ];
};

describe("what a start finds", () => {
  it.each<[name: string, found: Partial<Found>, state: string, commands: string, findings: string]>([
    ["a first start", {}, "idle", "collect-garbage", "-"],
    ["an idle journal", { journal: journal({ kind: "idle" }) }, "idle", "collect-garbage", "-"],
    [
      "committing: no swap happened",
      { journal: journal({ kind: "committing", token: 7, jobId: SWAP.jobId }) },
      "resuming resume",
      "resume",
      "-",
    ],
    ["swapping, before the flip", { journal: swapping, trial: trial() }, "resuming undo", "undo-swap", "-"],
    ["swapping, before the trial", { journal: swapping }, "resuming undo", "undo-swap", "-"],
    [
      "swapping, after the flip",
      { journal: swapping, trial: trial(), dist: place(B) },
      "probation",
      "nothing",
      "-",
    ],
    [
      "swapping, flipped, without a trial",
      { journal: swapping, dist: place(B) },
      "probation",
      "nothing",
      "-",
    ],
    [
      "swapping, and quarantined already: finish going back",
      { journal: swapping, trial: trial(), dist: place(B), quarantine: [condemned] },
      "going-back verdict",
      "leave-verdict",
      "-",
    ],
    [
      "swapping, and the guard went back",
      { journal: swapping, trial: trial({ hasBack: false }), quarantine: [condemned] },
      "going-back restore",
      "restore-backup",
      "-",
    ],
    [
      "swapping, the guard went back and could place nothing",
      { journal: swapping, trial: trial({ hasBack: false }) },
      "going-back restore",
      "restore-backup",
      "-",
    ],
    [
      "swapping, went back, trial already removed",
      { journal: swapping, verdict: { kind: "found", value: verdict } },
      "going-back restore",
      "restore-backup",
      "-",
    ],
    [
      "swapping, and the verdict of an earlier swap",
      { journal: swapping, trial: trial(), verdict: { kind: "found", value: { ...verdict, token: 6 } } },
      "resuming undo",
      "undo-swap",
      "-",
    ],
    [
      "swapping, and the trial of an earlier swap",
      { journal: swapping, trial: trial({ swap: { ...SWAP, token: 6 }, hasBack: false }) },
      "resuming undo",
      "undo-swap",
      "-",
    ],
    [
      "confirmed",
      { journal: confirmed, trial: trial(), dist: place(B) },
      "confirming trial",
      "remove-trial",
      "-",
    ],
    [
      "confirmed, trial already away",
      { journal: confirmed, dist: place(B) },
      "confirming trial",
      "remove-trial",
      "-",
    ],
    [
      "confirmed, and the guard was faster",
      { journal: confirmed, trial: trial({ hasBack: false }), quarantine: [condemned] },
      "going-back restore",
      "restore-backup",
      "-",
    ],
    [
      "dist names neither side",
      { journal: swapping, trial: trial(), dist: place(C) },
      "resuming undo",
      "undo-swap",
      "dist-changed",
    ],
    [
      "dist names nothing complete",
      { journal: swapping, trial: trial(), dist: null },
      "resuming undo",
      "undo-swap",
      "no-dist dist-changed",
    ],
    ["no dist at all", { dist: null }, "idle", "collect-garbage", "no-dist"],
    ["a torn journal", { journal: torn }, "idle", "write-journal collect-garbage", "journal-unreadable"],
    [
      "a torn journal, in probation",
      { journal: torn, trial: trial(), dist: place(B) },
      "probation",
      "nothing",
      "journal-unreadable journal-behind",
    ],
    ["a lost journal, before the flip", { trial: trial() }, "resuming undo", "undo-swap", "journal-behind"],
    [
      "a torn journal and a torn record in the trial: no flip without knowing the lease",
      { journal: torn, trial: trial({ swap: null }), dist: place(B) },
      "idle",
      "discard-trial write-journal collect-garbage",
      "journal-unreadable trial-left-over",
    ],
    [
      "a torn journal and a trial of another format",
      { journal: torn, trial: torn, dist: place(B) },
      "idle",
      "discard-trial write-journal collect-garbage",
      "journal-unreadable trial-unreadable",
    ],
    [
      "a torn trial: the journal is enough",
      { journal: swapping, trial: torn, dist: place(B) },
      "probation",
      "nothing",
      "trial-unreadable",
    ],
    [
      "a trial whose token had its last word",
      { journal: journal({ kind: "idle" }, { lastToken: 7 }), trial: trial() },
      "idle",
      "discard-trial collect-garbage",
      "trial-left-over",
    ],
    [
      "a torn floor, a torn verdict and a torn quarantine entry",
      {
        floor: torn,
        verdict: torn,
        quarantine: [{ ...condemned, reason: { code: "unreadable", message: "It cannot be read." } }],
      },
      "idle",
      "forget-verdict collect-garbage",
      "verdict-unreadable floor-unreadable quarantine-unreadable",
    ],
  ])("%s", (_name, found, state, commands, findings) => {
    expect(summary(start(found))).toEqual([state, commands, findings]);
  });

  it("takes the agent's own verdict before the entry, and the entry before the guard's", () => {
    const back = { journal: swapping, trial: trial({ hasBack: false }), quarantine: [condemned] };
    const own = start({ ...back, verdict: { kind: "found", value: verdict } });
    expect(own.machine.update).toMatchObject({ provisional: true });
    const guards = start({ ...back, verdict: { kind: "found", value: { ...verdict, by: "guard" } } });
    expect(guards.machine.update).toMatchObject({ provisional: false, reason });
  });

  it("takes the entry that lies ready in the trial over before the trial goes, where the guard could not", () => {
    const { machine } = start({ journal: swapping, trial: trial({ hasBack: false }) });
    const op = machine.facts.lastOp;
    const restored = transition(machine, { kind: "disk-done", op }, NOW, TEST_POLICY);
    expect(restored.commands.map(({ kind }) => kind)).toEqual(["quarantine"]);
    const placed = { kind: "disk-done", op: op + 1, quarantine: [condemned] } as const;
    const condemnedNow = transition(restored.machine, placed, NOW, TEST_POLICY);
    expect(condemnedNow.commands.map(({ kind }) => kind)).toEqual(["remove-trial"]);
    const tidied = transition(condemnedNow.machine, { kind: "disk-done", op: op + 2 }, NOW, TEST_POLICY);
    expect(tidied.machine.update).toMatchObject({ kind: "going-back", step: "word" });
  });

  it.each([
    ["since the swap", {}, NOW + 80_000],
    ["anew after a reboot", { thisBoot: false }, NOW + 90_000],
    ["anew after an operator's stop", { wasStopped: true }, NOW + 90_000],
    ["anew when it is torn", { since: null }, NOW + 90_000],
  ])("counts probation %s", (_name, change, deadline) => {
    const { machine } = start({ journal: swapping, trial: trial(change), dist: place(B) });
    expect(machine.update).toMatchObject({ kind: "probation", deadline });
  });

  // Found by the crash points: killed between its last word and the end of tidying up, a node kept a release for ever.
  it.each([
    ["confirmed", true],
    ["rolled-back", true],
    ["not-acted", false],
  ] as const)("whose last word %s nobody has acknowledged: releases are collected: %s", (word, releases) => {
    const said = { token: 7, jobId: SWAP.jobId, word, reason: null };
    const { commands } = start({ journal: journal({ kind: "idle" }, { finalWords: [said] }) });
    expect(commands).toContainEqual({ kind: "collect-garbage", releases });
  });

  it("does not sound idle while a trial alone knows of the swap", () => {
    const { machine } = start({ journal: torn, trial: trial(), dist: place(B) });
    expect(machine.facts.journal.phase.kind).toBe("swapping");
    expect(updateReport(machine)).toMatchObject({ state: "probation", jobId: SWAP.jobId, step: "restart" });
  });
});
