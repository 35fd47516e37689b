/** The commands that change the state directory: strictly one after the other, each answered when it is durable. */
import type { Clock } from "../../protocol/time.ts";
import type { CommandKind, CommandOf } from "../core/machine/command.ts";
import type { Event, EventOf } from "../core/machine/event.ts";
import type { Op } from "../core/machine/facts.ts";
import type { Disk } from "../effects/disk.ts";
import { diskFault } from "../effects/disk-fault.ts";
import { flip, flipBack, restoreBackup } from "../effects/flip.ts";
import { raiseFloor } from "../effects/floor.ts";
import { writeJournal } from "../effects/journal.ts";
import type { Layout } from "../effects/layout.ts";
import type { Log } from "../effects/log.ts";
import { liftQuarantine, quarantine, readQuarantine } from "../effects/quarantine.ts";
import { discardTrial, removeTrial, suspendDeadline, type TrialTerms, writeTrial } from "../effects/trial.ts";
import { forgetVerdict, leaveVerdict } from "../effects/verdict.ts";
import { createQueue } from "./queue.ts";

export type DiskParts = {
  readonly disk: Disk;
  readonly layout: Layout;
  readonly clock: Clock;
  readonly log: Log;
  /** What a trial begins with. */
  readonly trial: TrialTerms;
  readonly feed: (event: Event) => void;
};

type DiskKind =
  | "write-journal"
  | "write-trial"
  | "flip"
  | "undo-swap"
  | "quarantine"
  | "lift-quarantine"
  | "leave-verdict"
  | "flip-back"
  | "restore-backup"
  | "remove-trial"
  | "discard-trial"
  | "raise-floor"
  | "suspend-deadline"
  | "forget-verdict";

export type DiskHandlers = { readonly [K in DiskKind & CommandKind]: (command: CommandOf<K>) => void };

export function createDiskWork({ disk, layout, clock, log, trial, feed }: DiskParts): {
  readonly handlers: DiskHandlers;
  readonly settled: () => Promise<void>;
} {
  const queue = createQueue();

  /** Answers with what `run` gives, or that the disk refused. */
  const answered = (op: Op, what: string, run: () => Promise<Event>) =>
    queue.add(async () => {
      try {
        feed(await run());
      } catch (cause) {
        log.warn({ cause, op }, `it was not possible to ${what}`);
        feed({ kind: "disk-failed", op, fault: diskFault(cause, what) });
      }
    });

  const done = (op: Op): EventOf<"disk-done"> => ({ kind: "disk-done", op });

  /** For what nobody waits for: tried, and if it does not work, said. */
  const unanswered = (what: string, run: () => Promise<void>) =>
    queue.add(async () => {
      try {
        await run();
      } catch (cause) {
        log.warn({ cause }, `it was not possible to ${what}`);
      }
    });

  const handlers: DiskHandlers = {
    "write-journal": ({ op, journal }) =>
      queue.add(async () => {
        try {
          await writeJournal(disk, layout, journal);
          feed({ kind: "journal-written", op, journal });
        } catch (cause) {
          log.warn({ cause, op }, "it was not possible to write the journal");
          feed({ kind: "journal-failed", op, fault: diskFault(cause, "write the journal") });
        }
      }),
    "write-trial": ({ op, swap, quarantine: entry, verdict }) =>
      answered(op, "make the trial", async () => {
        const now = { since: clock.uptime(), at: clock.now() };
        await writeTrial(disk, layout, { ...trial, ...now, swap, quarantine: entry, verdict });
        return done(op);
      }),
    flip: ({ op, swap, actBy }) =>
      answered(op, "flip dist", async () => {
        const flipped = await flip(disk, layout, swap, () => clock.uptime() >= actBy);
        return flipped === "flipped" ? done(op) : { kind: "flip-too-late", op };
      }),
    "undo-swap": ({ op, swap }) =>
      answered(op, "undo the swap", async () => {
        await restoreBackup(disk, layout, swap.previousBackup);
        await discardTrial(disk, layout);
        // What a crash left of one that was being made.
        await disk.rm(layout.trialNew);
        return done(op);
      }),
    quarantine: ({ op, entry }) =>
      answered(op, "quarantine the build", async () => {
        await quarantine(disk, layout, entry, clock.now());
        return { ...done(op), quarantine: await readQuarantine(disk, layout) };
      }),
    "lift-quarantine": ({ op, build }) =>
      answered(op, "lift the quarantine", async () => {
        await liftQuarantine(disk, layout, build.buildHash);
        return { ...done(op), quarantine: await readQuarantine(disk, layout) };
      }),
    "leave-verdict": ({ op, verdict }) =>
      answered(op, "leave the verdict", async () => {
        await leaveVerdict(disk, layout, verdict);
        return done(op);
      }),
    "flip-back": ({ op, swap }) =>
      answered(op, "flip dist back", async () => {
        await flipBack(disk, layout, swap);
        return done(op);
      }),
    "restore-backup": ({ op, backup }) =>
      answered(op, "restore dist.bak", async () => {
        await restoreBackup(disk, layout, backup);
        return done(op);
      }),
    "remove-trial": ({ op, swap, confirmed }) =>
      answered(op, "remove the trial", async () => {
        if (!confirmed) await discardTrial(disk, layout);
        else if ((await removeTrial(disk, layout, swap)) === "guard-was-faster") {
          return { kind: "guard-was-faster", op };
        }
        return done(op);
      }),
    "raise-floor": ({ op, minVersion }) =>
      answered(op, "raise the floor", async () => {
        await raiseFloor(disk, layout, minVersion);
        return done(op);
      }),
    "discard-trial": () => unanswered("remove a trial that was left over", () => discardTrial(disk, layout)),
    "suspend-deadline": () => unanswered("tell the guard to wait", () => suspendDeadline(disk, layout)),
    "forget-verdict": () => unanswered("remove the verdict", () => forgetVerdict(disk, layout)),
  };
  return { handlers, settled: queue.settled };
}
