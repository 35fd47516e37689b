/**
 * What the commands of the machine do to the state directory, as `agent/effects/` does it: each change is one that
 * is on the disk as a whole or not at all. A process that crashes leaves what the changes before have done.
 */
import type { Placed } from "../../../agent/core/journal.ts";
import type { Command } from "../../../agent/core/machine/command.ts";
import type { Found, Look } from "../../../agent/core/recover.ts";
import type { UptimeMs } from "../../../protocol/time.ts";
import type { StateDir, Trial } from "./world.ts";

/** What a trial begins with. One try, so that a single crash of the new build uses it up; the default is three. */
export const TRIES = 1;
export const REFUNDS = 1;

type DirChange = (dir: StateDir) => StateDir;

/** The changes of a command, in their order; none for one that is no business of the disk. */
export function changesOf(command: Command, uptime: UptimeMs): readonly DirChange[] {
  switch (command.kind) {
    case "write-journal":
      return [(dir) => ({ ...dir, journal: command.journal })];
    case "write-trial": {
      const { swap, quarantine: entry, verdict } = command;
      const trial: Trial = {
        swap,
        since: uptime,
        tries: TRIES,
        refunds: REFUNDS,
        hasBack: true,
        entry,
        verdict,
        ready: false,
        stopRequested: false,
        unhurried: false,
      };
      return [forgetVerdict, discardTrial, (dir) => ({ ...dir, trial })];
    }
    case "flip":
      return [(dir) => ({ ...dir, backup: command.swap.from }), (dir) => ({ ...dir, dist: command.swap.to })];
    case "undo-swap":
      return [restoreBackup(command.swap.previousBackup), discardTrial];
    case "quarantine": {
      const entry = { ...command.entry, at: 0 };
      const { buildHash } = entry.build;
      return [
        (dir) => ({
          ...dir,
          quarantine: [...dir.quarantine.filter((each) => each.build.buildHash !== buildHash), entry],
        }),
      ];
    }
    case "lift-quarantine":
      return [
        (dir) => ({
          ...dir,
          quarantine: dir.quarantine.filter((each) => each.build.buildHash !== command.build.buildHash),
        }),
      ];
    case "leave-verdict":
      return [(dir) => ({ ...dir, verdict: command.verdict })];
    case "flip-back":
      return [(dir) => ({ ...dir, dist: command.swap.from })];
    case "restore-backup":
      return [restoreBackup(command.backup)];
    case "remove-trial":
    case "discard-trial":
      return [discardTrial];
    case "suspend-deadline":
      return [(dir) => (dir.trial === null ? dir : { ...dir, trial: { ...dir.trial, unhurried: true } })];
    case "forget-verdict":
      return [forgetVerdict];
    case "prepare":
    case "stop-preparing":
    case "reserve":
    case "renew":
    case "commit":
    case "cancel":
    case "hand-over":
    case "drain":
    case "resume":
    case "raise-floor":
    case "collect-garbage":
    case "note":
    case "exit":
      return [];
  }
}

export const applied = (dir: StateDir, changes: readonly DirChange[]): StateDir =>
  changes.reduce((now, change) => change(now), dir);

const discardTrial: DirChange = (dir) => ({ ...dir, trial: null });
const forgetVerdict: DirChange = (dir) => ({ ...dir, verdict: null });
const restoreBackup =
  (backup: Placed | null): DirChange =>
  (dir) => ({ ...dir, backup });

/** What a start finds. Files are never torn here: the crash points on a real disk are about that. */
export function foundIn({ journal, dist, backup, trial, quarantine, verdict }: StateDir): Found {
  return {
    journal: { kind: "found", value: journal },
    dist,
    backup,
    trial: look(
      trial === null
        ? null
        : {
            to: trial.swap.to.link,
            from: trial.swap.from.link,
            hasBack: trial.hasBack,
            swap: trial.swap,
            since: trial.since,
            thisBoot: true,
            wasStopped: trial.refunds < REFUNDS,
          },
    ),
    quarantine,
    verdict: look(verdict),
    floor: { kind: "missing" },
  };
}

const look = <T>(value: T | null): Look<T> =>
  value === null ? { kind: "missing" } : { kind: "found", value };
