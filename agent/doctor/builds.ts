import { showBuild } from "../../protocol/build.ts";
import type { Finding } from "../../protocol/finding.ts";
import type { QuarantineEntry } from "../../protocol/journal.ts";
import type { Journal, Placed } from "../core/journal.ts";
import type { Look } from "../core/recover.ts";
import { findingsOf } from "./finding.ts";
import { count } from "./words.ts";

/** What a link says, and what lies there; `placed` is null when that is nothing complete. */
export type LinkFacts = { readonly link: string | null; readonly placed: Placed | null };

export type BuildsFacts = {
  readonly journal: Look<Journal>;
  readonly dist: LinkFacts;
  readonly backup: LinkFacts;
  readonly quarantine: readonly QuarantineEntry[];
};

const { ok, warning, problem } = findingsOf("builds");

/** What runs, what is kept to go back to, and what this node will not try again. */
export function judgeBuilds({ journal, dist, backup, quarantine }: BuildsFacts): Finding[] {
  return [
    ...judgeDist(dist),
    ...judgeBackup(backup),
    ...judgeJournal(journal),
    ...quarantine.map(judgeEntry),
  ];
}

function judgeDist({ link, placed }: LinkFacts): Finding[] {
  if (placed !== null) return [ok("dist", `dist names ${showBuild(placed.build)}.`)];
  const message =
    link === null
      ? "There is no dist: nothing can be started."
      : `dist names ${link}, which is not complete.`;
  return [
    problem(
      link === null ? "dist-missing" : "dist-incomplete",
      message,
      'Install a build: agent install FILE. By hand: docs/OPERATIONS.md, "Setting dist by hand".',
    ),
  ];
}

function judgeBackup({ link, placed }: LinkFacts): Finding[] {
  if (placed !== null) return [ok("backup", `dist.bak names ${showBuild(placed.build)}.`)];
  if (link === null) return [ok("no-backup", "There is no dist.bak; the first update makes one.")];
  return [
    warning(
      "backup-incomplete",
      `dist.bak names ${link}, which is not complete: there is nothing to go back to on purpose.`,
      "The next update makes another. What is on probation goes back by its own record, not by this.",
    ),
  ];
}

function judgeJournal(journal: Look<Journal>): Finding[] {
  if (journal.kind === "unreadable") {
    return [
      warning(
        "journal-unreadable",
        `The journal cannot be read: ${journal.why}.`,
        "The agent goes by the trial's record and begins another journal when it starts. Nothing is to be done by hand.",
      ),
    ];
  }
  if (journal.kind === "missing") return [];
  const { value } = journal;
  return [
    ...(value.phase.kind === "idle"
      ? []
      : [ok("update-under-way", `An update is under way: the journal says ${value.phase.kind}.`)]),
    ...(value.hold
      ? [
          warning(
            "held",
            "This node stays on its build since a rollback.",
            "To let it be updated again: agent update-now --retry",
          ),
        ]
      : []),
    ...(value.finalWords.length === 0
      ? []
      : [
          warning(
            "words-owed",
            `${count(value.finalWords.length, "last word", "last words")} of this node on leases not acknowledged by the coordinator yet; its group waits.`,
            "They are said again and again: mend what keeps the session from being open.",
          ),
        ]),
  ];
}

const judgeEntry = ({ build, reason, provisional }: QuarantineEntry): Finding =>
  warning(
    "quarantined",
    `${showBuild(build)} is not tried again${provisional ? " for now" : ""}: ${reason.message}`,
    "Publish a release that mends it. To try this very build again: agent update-now --retry",
  );
