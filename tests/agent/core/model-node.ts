/**
 * A node without a machine under it: the real `transition` and `recover` over a state directory that is a plain
 * object. Every command waits in `pending` until a test says what comes of it; a crash forgets all but the disk.
 */

import type { Journal, Placed, Swap, Verdict } from "../../../agent/core/journal.ts";
import type { Command, CommandKind, CommandOf } from "../../../agent/core/machine/command.ts";
import type { Event } from "../../../agent/core/machine/event.ts";
import type { Policy } from "../../../agent/core/machine/facts.ts";
import { type Machine, type Transition, transition } from "../../../agent/core/machine/transition.ts";
import { wakeAt } from "../../../agent/core/machine/wake.ts";
import { type Finding, type Found, type Look, recover } from "../../../agent/core/recover.ts";
import { type Build, releaseName } from "../../../protocol/build.ts";
import type { QuarantineEntry } from "../../../protocol/journal.ts";
import type { Fault } from "../../../protocol/result.ts";

export type ModelTrial = {
  swap: Swap;
  hasBack: boolean;
  tries: number;
  refunds: number;
  since: number;
  verdict: Verdict;
  entry: QuarantineEntry;
};

export type ModelDisk = {
  journal: Journal | "torn" | null;
  dist: Placed;
  backup: Placed | null;
  trial: ModelTrial | null;
  quarantine: QuarantineEntry[];
  verdict: Verdict | null;
  floor: string | null;
};

export type Asked = Extract<Command, { readonly op: number }>;

export const build = (version: string, digit: string): Build => ({ version, buildHash: digit.repeat(64) });
export const place = (of: Build): Placed => ({ build: of, link: `releases/${releaseName(of)}` });

export const TEST_POLICY: Policy = {
  probationMs: 90_000,
  inconclusiveAfterMs: 30_000,
  drainMs: 20_000,
  flipMs: 10_000,
  prepareAttempts: 3,
  commitRounds: 2,
  leadershipSettleMs: 20_000,
  retryMinMs: 1_000,
  retryMaxMs: 60_000,
};

const REFUNDS = 10;

export class ModelNode {
  readonly disk: ModelDisk;
  readonly policy: Policy;
  now = 1_000_000;
  boots = 1;
  starts = 0;
  machine: Machine;
  pending: Asked[] = [];
  /** Commands of the last transition or start. */
  commands: readonly Command[] = [];
  findings: readonly Finding[] = [];
  exited: 0 | 75 | null = null;
  /** Called for each effect that reaches the disk, after it has. */
  onDisk: (command: Command) => void = () => undefined;

  constructor(disk: ModelDisk, policy: Policy = TEST_POLICY) {
    this.disk = disk;
    this.policy = policy;
    this.machine = this.start();
  }

  get running(): Build {
    return this.machine.facts.self.running;
  }

  feed(event: Event): Transition {
    const result = transition(this.machine, event, this.now, this.policy);
    this.machine = result.machine;
    this.#begin(result.commands);
    return result;
  }

  /** The clock goes on; the machine hears of it when it asked to. */
  wait(ms: number): Transition | null {
    this.now += ms;
    const at = wakeAt(this.machine);
    return at !== null && at <= this.now ? this.feed({ kind: "tick" }) : null;
  }

  /** What is on the disk goes on; everything else is gone. The guard runs first, as before every start. */
  restart(): Machine {
    this.guard();
    this.machine = this.start();
    return this.machine;
  }

  start(): Machine {
    this.starts += 1;
    this.pending = [];
    this.exited = null;
    const self = { running: this.disk.dist.build, instanceId: instance(this.starts) };
    const recovery = recover(this.found(), self, this.now, this.policy);
    this.machine = recovery.machine;
    this.findings = recovery.findings;
    this.#begin(recovery.commands);
    return recovery.machine;
  }

  found(): Found {
    const { disk } = this;
    const look = <T>(value: T | "torn" | null): Look<T> =>
      value === null
        ? { kind: "missing" }
        : value === "torn"
          ? { kind: "unreadable", why: "it is torn" }
          : { kind: "found", value };
    const { trial } = disk;
    return {
      journal: look(disk.journal),
      dist: disk.dist,
      backup: disk.backup,
      trial:
        trial === null
          ? { kind: "missing" }
          : {
              kind: "found",
              value: {
                to: trial.swap.to.link,
                from: trial.swap.from.link,
                hasBack: trial.hasBack,
                swap: trial.swap,
                since: trial.since,
                thisBoot: true,
                wasStopped: trial.refunds < REFUNDS,
              },
            },
      quarantine: disk.quarantine,
      verdict: look(disk.verdict),
      floor: look(disk.floor),
    };
  }

  /** What `agent-guard start` does. */
  guard(): "nothing" | "try-taken" | "went-back" {
    const { disk } = this;
    const { trial } = disk;
    if (trial === null || disk.dist.link !== trial.swap.to.link) return "nothing";
    const condemned = disk.quarantine.some(({ build }) => build.buildHash === trial.swap.to.build.buildHash);
    if (!condemned && trial.tries > 0) {
      trial.tries -= 1;
      return "try-taken";
    }
    if (!trial.hasBack) return "nothing";
    if (!condemned) disk.quarantine = [...disk.quarantine, trial.entry];
    if (disk.verdict === null) disk.verdict = trial.verdict;
    disk.dist = trial.swap.from;
    trial.hasBack = false;
    return "went-back";
  }

  /** Does what a disk command asks for, and answers it. */
  perform(command: Asked): Event {
    const { op } = command;
    const event = this.apply(command);
    this.onDisk(command);
    return event ?? { kind: "disk-done", op };
  }

  /** Changes the disk as the command says; the event when it is not a plain `disk-done`. */
  apply(command: Command): Event | null {
    const effect = EFFECTS[command.kind] as ((node: ModelNode, command: Command) => Event | null) | undefined;
    return effect?.(this, command) ?? null;
  }

  #begin(commands: readonly Command[]): void {
    this.commands = commands;
    for (const command of commands) {
      if (command.kind === "exit") this.exited = command.code;
      else if ("op" in command) this.pending.push(command);
      else {
        this.apply(command);
        this.onDisk(command);
      }
    }
  }
}

export const instance = (number: number): string =>
  `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;

/** The kinds of commands whose effect is on the disk. */
export const DISK_KINDS: ReadonlySet<Command["kind"]> = new Set([
  "write-journal",
  "write-trial",
  "flip",
  "undo-swap",
  "quarantine",
  "lift-quarantine",
  "leave-verdict",
  "flip-back",
  "restore-backup",
  "remove-trial",
  "raise-floor",
]);

type Effects = { readonly [K in CommandKind]?: (node: ModelNode, command: CommandOf<K>) => Event | null };

const EFFECTS: Effects = {
  "write-journal": ({ disk }, { op, journal }) => {
    disk.journal = journal;
    return { kind: "journal-written", op, journal };
  },
  "write-trial": ({ disk, now }, { swap, verdict, quarantine }) => {
    const entry = { ...quarantine, at: 0 };
    disk.trial = { swap, hasBack: true, tries: 3, refunds: REFUNDS, since: now, verdict, entry };
    return null;
  },
  flip: ({ disk, now }, { op, swap, actBy }) => {
    if (now >= actBy) return { kind: "flip-too-late", op };
    disk.backup = swap.from;
    disk.dist = swap.to;
    return null;
  },
  "undo-swap": ({ disk }, { swap }) => {
    disk.backup = swap.previousBackup;
    disk.trial = null;
    return null;
  },
  quarantine: ({ disk }, { op, entry }) => {
    const others = disk.quarantine.filter(({ build: of }) => of.buildHash !== entry.build.buildHash);
    disk.quarantine = [...others, { ...entry, at: 0 }];
    return { kind: "disk-done", op, quarantine: disk.quarantine };
  },
  "lift-quarantine": ({ disk }, { op, build: lifted }) => {
    disk.quarantine = disk.quarantine.filter(({ build: of }) => of.buildHash !== lifted.buildHash);
    return { kind: "disk-done", op, quarantine: disk.quarantine };
  },
  "leave-verdict": ({ disk }, { verdict }) => {
    disk.verdict = verdict;
    return null;
  },
  "flip-back": ({ disk }, { swap }) => {
    disk.dist = swap.from;
    return null;
  },
  "restore-backup": ({ disk }, { backup }) => {
    disk.backup = backup;
    return null;
  },
  "remove-trial": ({ disk }, { op, swap, confirmed }) => {
    disk.trial = null;
    return confirmed && disk.dist.link !== swap.to.link ? { kind: "guard-was-faster", op } : null;
  },
  "raise-floor": ({ disk }, { minVersion }) => {
    disk.floor = minVersion;
    return null;
  },
  "forget-verdict": ({ disk }) => {
    disk.verdict = null;
    return null;
  },
  "discard-trial": ({ disk }) => {
    disk.trial = null;
    return null;
  },
};

/** The event that says that a command came to nothing. */
export function refusal({ kind, op }: Asked, fault: Fault): Event {
  if (kind === "prepare") return { kind: "prepare-failed", op, fault };
  if (kind === "reserve" || kind === "renew" || kind === "commit") {
    return { kind: `${kind}-failed`, op, failure: { ...fault, kind: "refused" } };
  }
  if (kind === "hand-over" || kind === "drain" || kind === "resume")
    return { kind: `${kind}-failed`, op, fault };
  if (kind === "write-journal") return { kind: "journal-failed", op, fault };
  return { kind: "disk-failed", op, fault };
}
