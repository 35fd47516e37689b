/** One process of the agent: the real machine, and around it what `agent/runner.ts` and `agent/executor.ts` do. */
import type { Command } from "../../../agent/core/machine/command.ts";
import type { Event } from "../../../agent/core/machine/event.ts";
import type { Op } from "../../../agent/core/machine/facts.ts";
import { transition } from "../../../agent/core/machine/transition.ts";
import { wakeAt } from "../../../agent/core/machine/wake.ts";
import type { PreparedBuild } from "../../../agent/core/ports.ts";
import { recover } from "../../../agent/core/recover.ts";
import type { Build } from "../../../protocol/build.ts";
import { mustBeOurConfirm, mustBeWrittenBeforeCommit, mustMayFlipBack, mustMayFlipForth } from "./checks.ts";
import { applied, changesOf, foundIn } from "./disk.ts";
import { guardStart } from "./guard.ts";
import { AGENT_POLICY, uptimeOf } from "./time.ts";
import type { Call, Hook, NodeIndex, Process, World } from "./world.ts";
import { nodeAt, withDisk, withNode, withProcess } from "./world.ts";

/** An event reaches the machine, and what it commands is begun. */
export function feed(world: World, at: NodeIndex, event: Event): World {
  const node = nodeAt(world, at);
  const { process } = node;
  if (process === null) return world;
  const before = process.machine;
  const after = transition(before, event, uptimeOf(world, node), AGENT_POLICY);
  if (before.update.kind === "probation" && after.machine.update.kind === "confirming") {
    mustBeOurConfirm(at, process, event);
  }
  return begin(withProcess(world, at, { machine: after.machine }), at, after.commands);
}

/** Systemd starts the unit: the guard first, then what `dist` names. */
export function start(world: World, at: NodeIndex): World {
  const node = nodeAt(world, at);
  const last = guardStart(node.disk).at(-1) ?? node.disk;
  if (last.dist !== node.disk.dist) mustMayFlipBack(world, at, node.disk.trial?.swap ?? null, last);
  return startUnguarded(withDisk(world, at, last), at);
}

/** What `dist` names starts; the guard was there before, or should have been. */
export function startUnguarded(world: World, at: NodeIndex): World {
  const node = nodeAt(world, at);
  const last = node.disk;
  const { trial } = last;
  const isWatched = world.left.stop > 0 && trial !== null && last.dist.link === trial.swap.to.link;
  const disk = isWatched ? { ...last, trial: { ...trial, ready: true } } : last;
  const uptime = uptimeOf(world, node);
  const instance = `i${world.serial}`;
  const self = { running: disk.dist.build, instanceId: instance };
  const { machine, commands } = recover(foundIn(last), self, uptime, AGENT_POLICY);
  const process: Process = {
    instance,
    machine,
    startedAt: uptime,
    seq: 0,
    tasks: [],
    hooks: [],
    calls: [],
    halfFlipped: false,
    slow: false,
  };
  const started = withNode({ ...world, serial: world.serial + 1 }, at, { disk, process });
  return begin(started, at, commands);
}

/** The time that the machine waits for has come. */
export function isDue(world: World, at: NodeIndex): boolean {
  const node = nodeAt(world, at);
  const wake = node.process === null ? null : wakeAt(node.process.machine);
  return wake !== null && wake <= uptimeOf(world, node);
}

/** The first effect on the disk is done, and answered. */
export function doTask(world: World, at: NodeIndex): World {
  const node = nodeAt(world, at);
  const { process, disk } = node;
  const task = process?.tasks[0];
  if (process === null || task === undefined) return world;
  const uptime = uptimeOf(world, node);
  if (task.kind === "flip") return doFlip(world, at, task);
  if (task.kind === "flip-back") mustMayFlipBack(world, at, task.swap, disk);
  const changed = applied(disk, changesOf(task, uptime));
  const done = taskDone(withDisk(world, at, changed), at, process);
  if (!("op" in task)) return ended(done, at);
  return ended(feed(done, at, answerTo(task, task.op, changed)), at);
}

/** `dist.bak` first, then, unless it is too late, `dist`: two steps, since time may pass between them. */
function doFlip(world: World, at: NodeIndex, task: Extract<Command, { kind: "flip" }>): World {
  const node = nodeAt(world, at);
  const { process, disk } = node;
  if (process === null) return world;
  const { op, swap, actBy } = task;
  const [flipBackup, flipDist] = changesOf(task, 0);
  const isTooLate = uptimeOf(world, node) >= actBy;
  if (isTooLate) return ended(feed(taskDone(world, at, process), at, { kind: "flip-too-late", op }), at);
  if (!process.halfFlipped) {
    const changed = applied(disk, flipBackup === undefined ? [] : [flipBackup]);
    return withProcess(withDisk(world, at, changed), at, { halfFlipped: true });
  }
  mustMayFlipForth(world, at, swap);
  const changed = applied(disk, flipDist === undefined ? [] : [flipDist]);
  const done = taskDone(withDisk(world, at, changed), at, process);
  return ended(feed(done, at, { kind: "disk-done", op }), at);
}

const taskDone = (world: World, at: NodeIndex, { tasks }: Process): World =>
  withProcess(world, at, { tasks: tasks.slice(1), halfFlipped: false, slow: false });

function answerTo(task: Command, op: Op, dir: ReturnType<typeof applied>): Event {
  switch (task.kind) {
    case "write-journal":
      return { kind: "journal-written", op, journal: task.journal };
    case "quarantine":
    case "lift-quarantine":
      return { kind: "disk-done", op, quarantine: dir.quarantine };
    case "remove-trial":
      return task.confirmed && dir.dist.link !== task.swap.to.link
        ? { kind: "guard-was-faster", op }
        : { kind: "disk-done", op };
    case "prepare":
    case "stop-preparing":
    case "reserve":
    case "renew":
    case "commit":
    case "cancel":
    case "hand-over":
    case "drain":
    case "resume":
    case "write-trial":
    case "flip":
    case "undo-swap":
    case "leave-verdict":
    case "flip-back":
    case "restore-backup":
    case "discard-trial":
    case "raise-floor":
    case "suspend-deadline":
    case "forget-verdict":
    case "collect-garbage":
    case "note":
    case "exit":
      return { kind: "disk-done", op };
  }
}

/** The first hook has ended. */
export function doHook(world: World, at: NodeIndex, isWell: boolean): World {
  const { process } = nodeAt(world, at);
  const hook = process?.hooks[0];
  if (process === null || hook === undefined) return world;
  const done = withProcess(world, at, { hooks: process.hooks.slice(1), slow: false });
  return feed(done, at, answerOfHook(hook, isWell));
}

function answerOfHook({ kind, op }: Hook, isWell: boolean): Event {
  if (!isWell) return { kind: `${kind}-failed`, op, fault: { code: "hook-failed", message: "It failed." } };
  return { kind: `${kind}-done`, op };
}

/** The process ends: whatever it was about to do is gone, and what its disk queue has done stays. */
export const end = (world: World, at: NodeIndex): World => withNode(world, at, { process: null });

/** A process that is exiting ends as soon as the disk has done all that it was told to. */
function ended(world: World, at: NodeIndex): World {
  const { process } = nodeAt(world, at);
  const isOver = process !== null && process.machine.update.kind === "exiting" && process.tasks.length === 0;
  return isOver ? end(world, at) : world;
}

/** What was commanded is begun. To prepare a build is done in the same moment: nothing live is touched by it. */
function begin(world: World, at: NodeIndex, commands: readonly Command[]): World {
  let next = world;
  for (const command of commands) next = beginOne(next, at, command);
  return ended(next, at);
}

function beginOne(world: World, at: NodeIndex, command: Command): World {
  const { process, disk } = nodeAt(world, at);
  if (process === null) return world;
  const { tasks, hooks, calls } = process;
  switch (command.kind) {
    case "prepare":
      return feed(world, at, {
        kind: "prepare-done",
        op: command.op,
        prepared: prepared(command.job.build, disk),
      });
    case "reserve":
    case "renew":
    case "cancel":
      return withProcess(world, at, { calls: [...calls, { command, sent: false }] });
    case "commit": {
      mustBeWrittenBeforeCommit(at, disk, command.token);
      return withProcess(world, at, { calls: [...calls, { command, sent: false }] });
    }
    case "hand-over":
    case "drain":
    case "resume":
      return withProcess(world, at, { hooks: [...hooks, command], slow: false });
    case "stop-preparing":
    case "collect-garbage":
    case "note":
    case "exit":
      return world;
    case "write-journal":
    case "write-trial":
    case "flip":
    case "undo-swap":
    case "quarantine":
    case "lift-quarantine":
    case "leave-verdict":
    case "flip-back":
    case "restore-backup":
    case "remove-trial":
    case "discard-trial":
    case "raise-floor":
    case "suspend-deadline":
    case "forget-verdict":
      return withProcess(world, at, { tasks: [...tasks, command], slow: false });
  }
}

/** What is prepared for a rollback is what lies in `dist.bak`. */
function prepared(
  desired: Build | null,
  disk: { readonly backup: { readonly build: Build } | null },
): PreparedBuild {
  const build = desired ?? disk.backup?.build;
  if (build === undefined) throw new Error("there is nothing to prepare");
  return { build, versionJson: VERSION_JSON(build), minVersion: null };
}

const VERSION_JSON = (build: Build): PreparedBuild["versionJson"] => ({
  ...build,
  builtAt: "2026-01-01T00:00:00Z",
  gitCommit: "unknown",
  entry: "main.mjs",
  engines: { node: "*" },
  platform: "linux-x64",
  protocol: 1,
});

export const withoutCall = (world: World, at: NodeIndex, call: Call): World => {
  const calls = nodeAt(world, at).process?.calls ?? [];
  return withProcess(world, at, { calls: calls.filter((each) => each !== call) });
};
