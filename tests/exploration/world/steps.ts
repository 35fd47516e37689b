/**
 * Everything that can happen next in a world.
 *
 * Calm steps are those by which a world without misfortunes goes on; the others each use up one of a limited number
 * (`Faults`). Messages that are late are never delivered by a calm step: one that is lost is one that never comes.
 *
 * Where several nodes are updated, a node at work on its own disk is let finish before anybody else moves
 * (`Rules.reduce`): nothing that others do can change what its next effect is. Exempt are the flips, which are held
 * against the coordinator's record at their moment, and work during which time has passed. What that leaves out is that
 * a node speaks, or is spoken of, in the middle of such work; so where one node alone is updated nothing is left out.
 */
import type { Command } from "../../../agent/core/machine/command.ts";
import { applied, changesOf } from "./disk.ts";
import { guardDeadline, guardStart, guardStop } from "./guard.ts";
import { breakHeld, removeNode, restartHub, restoreHub, tick } from "./hub.ts";
import {
  arrive,
  callAnswered,
  callGivenUp,
  callOff,
  heartbeat,
  heartbeatOff,
  hello,
  helloLate,
  isMoot,
  keepHearing,
} from "./network.ts";
import { doHook, doTask, end, feed, isDue, start, startUnguarded } from "./process.ts";
import { elect, handOver } from "./roles.ts";
import { AGENT_POLICY, DEADLINE_MARGIN_MS, LONG_MS, passTime, SHORT_MS, uptimeOf } from "./time.ts";
import {
  type NodeIndex,
  nameOf,
  nodeAt,
  type Process,
  spend,
  type World,
  withDisk,
  withHub,
} from "./world.ts";

export type Step = { readonly name: string; readonly isCalm: boolean; readonly take: () => World | null };

export type Rules = { readonly reduce: boolean };

export function stepsOf(world: World, rules: Rules): Step[] {
  const steps: Step[] = [];
  const busy = rules.reduce ? busyNode(world) : null;
  if (busy !== null) {
    addLocal(steps, world, busy);
    addSleep(steps, world, busy);
    return steps;
  }
  world.nodes.forEach((node, at) => {
    if (!node.member) return;
    addLocal(steps, world, at);
    addTalk(steps, world, at);
    addSleep(steps, world, at);
    if (world.left.remove > 0)
      fault(steps, `${nameOf(at)} is removed`, () => after(spend(world, "remove"), (w) => removeNode(w, at)));
  });
  addWire(steps, world);
  addCoordinator(steps, world);
  if (isQuiet(world)) calm(steps, "a long time passes", () => pass(world, LONG_MS, null));
  if (world.left.pause > 0) {
    fault(steps, "a long time passes too soon", () =>
      after(spend(world, "pause"), (w) => pass(w, LONG_MS, null)),
    );
    fault(steps, "some time passes", () => after(spend(world, "pause"), (w) => pass(w, SHORT_MS, null)));
  }
  return steps;
}

/** Nobody has anything to do at once: all are up, work on nothing, wait for no answer, and are heard. */
const isQuiet = (world: World): boolean =>
  world.nodes.every(({ process, member }, at) => {
    if (!member) return true;
    if (process === null || process.tasks.length > 0 || process.hooks.length > 0) return false;
    if (process.machine.facts.session === null) return false;
    // That leadership shows is waited for by asking again and again, at no cost of time here.
    if (isDue(world, at) && process.machine.update.kind !== "committing") return false;
    return process.calls.every((call) => isMoot(world, at, call));
  });

const calm = (steps: Step[], name: string, take: Step["take"]) => steps.push({ name, isCalm: true, take });
const fault = (steps: Step[], name: string, take: Step["take"]) => steps.push({ name, isCalm: false, take });

const after = (world: World | null, go: (world: World) => World | null): World | null =>
  world === null ? null : go(world);

const pass = (world: World, ms: number, asleep: NodeIndex | null): World =>
  keepHearing(passTime(world, ms, asleep), asleep);

/** The node whose work on its own disk comes before everything else; null when there is none. */
function busyNode(world: World): NodeIndex | null {
  const at = world.nodes.findIndex(({ process }) => process !== null && isBusy(process));
  return at === -1 ? null : at;
}

function isBusy({ tasks, hooks, slow }: Process): boolean {
  const [task] = tasks;
  if (slow || (task !== undefined && isSeen(task))) return false;
  return task !== undefined || hooks.length > 0;
}

const isSeen = ({ kind }: Command): boolean => kind === "flip" || kind === "flip-back";

/** What a node does by itself, and what can end it. */
function addLocal(steps: Step[], world: World, at: NodeIndex): void {
  const node = nodeAt(world, at);
  const name = nameOf(at);
  const { process } = node;
  if (process === null) {
    calm(steps, `${name} starts`, () => start(world, at));
    addGuardKills(steps, world, at);
    return;
  }
  const [task] = process.tasks;
  const [hook] = process.hooks;
  if (task !== undefined) calm(steps, `${name} does ${task.kind}`, () => doTask(world, at));
  if (hook !== undefined) {
    calm(steps, `${name}'s ${hook.kind} hook ends`, () => doHook(handOver(world, at, hook), at, true));
    if (world.left.hook > 0) {
      fault(steps, `${name}'s ${hook.kind} hook fails`, () =>
        after(spend(world, "hook"), (w) => doHook(w, at, false)),
      );
    }
  }
  if (isDue(world, at)) calm(steps, `${name}'s time has come`, () => feed(world, at, { kind: "tick" }));
  addEnds(steps, world, at, process);
}

/** The process crashes, also in the middle of a command of several changes; systemd stops it; the guard kills it. */
function addEnds(steps: Step[], world: World, at: NodeIndex, { tasks, machine, startedAt }: Process): void {
  const node = nodeAt(world, at);
  const name = nameOf(at);
  const [task] = tasks;
  if (world.left.crash > 0) {
    const changes = task === undefined || task.kind === "flip" ? [] : changesOf(task, uptimeOf(world, node));
    for (let done = 0; done < Math.max(1, changes.length); done += 1) {
      const where = task === undefined || done === 0 ? "" : ` in the middle of ${task.kind}`;
      fault(steps, `${name} crashes${where}`, () =>
        after(spend(world, "crash"), (w) =>
          end(withDisk(w, at, applied(node.disk, changes.slice(0, done))), at),
        ),
      );
    }
  }
  if (world.left.stop > 0) {
    fault(steps, `systemd stops ${name}`, () =>
      after(spend(world, "stop"), (w) =>
        feed(withDisk(w, at, guardStop(node.disk)), at, { kind: "stop-requested" }),
      ),
    );
  }
  const lastedMs = uptimeOf(world, node) - startedAt;
  const killed = guardDeadline(node.disk, linkOf(machine.facts.self.dist));
  if (killed !== null && lastedMs > AGENT_POLICY.probationMs + DEADLINE_MARGIN_MS) {
    calm(steps, `the guard's deadline ends ${name}`, () => end(withDisk(world, at, killed), at));
  }
}

const linkOf = (placed: { readonly link: string } | null): string => placed?.link ?? "";

/** The guard is killed before or between its commands. Systemd starts what `dist` names all the same; or power fails. */
function addGuardKills(steps: Step[], world: World, at: NodeIndex): void {
  if (world.left.crash === 0) return;
  const name = nameOf(at);
  const { disk } = nodeAt(world, at);
  const states = guardStart(disk);
  if (states.length === 0) return;
  [disk, ...states.slice(0, -1)].forEach((now, done) => {
    const when = `${name}'s guard is killed after ${done} steps`;
    fault(steps, `${when}, and ${name} starts`, () =>
      after(spend(world, "crash"), (w) => startUnguarded(withDisk(w, at, now), at)),
    );
    if (done > 0) fault(steps, when, () => after(spend(world, "crash"), (w) => withDisk(w, at, now)));
  });
}

/** What a process says to the coordinator, and how that may go wrong. */
function addTalk(steps: Step[], world: World, at: NodeIndex): void {
  const { process } = nodeAt(world, at);
  if (process === null || process.machine.update.kind === "exiting") return;
  const name = nameOf(at);
  const { left } = world;
  if (process.machine.facts.session === null) {
    calm(steps, `${name} says hello`, () => hello(world, at, process));
    if (left.late > 0) fault(steps, `${name} says hello, which is late`, () => helloLate(world, at, process));
  } else {
    calm(steps, `${name} is heard`, () => heartbeat(world, at));
    if (left.late > 0) {
      fault(steps, `${name}'s heartbeat is late`, () => heartbeatOff(world, at, "late"));
      fault(steps, `${name} is heard, and its orders are late`, () => heartbeatOff(world, at, "orders-late"));
    }
    if (left.copy > 0)
      fault(steps, `${name} is heard, and will be again`, () => heartbeatOff(world, at, "copy"));
    if (left.cut > 0) {
      fault(steps, `${name}'s session ends`, () =>
        after(spend(world, "cut"), (w) => feed(w, at, { kind: "session-closed" })),
      );
    }
  }
  for (const call of process.calls) {
    if (isMoot(world, at, call)) continue;
    const { kind } = call.command;
    if (call.sent) {
      calm(steps, `nobody answers ${name}'s ${kind}`, () => callGivenUp(world, at, call));
      continue;
    }
    calm(steps, `${name}'s ${kind} is answered`, () => callAnswered(world, at, call));
    if (left.late > 0) {
      fault(steps, `${name}'s ${kind} is late`, () => callOff(world, at, process, call, "late"));
      fault(steps, `the answer to ${name}'s ${kind} is late`, () =>
        callOff(world, at, process, call, "answer-late"),
      );
    }
    if (left.copy > 0) {
      fault(steps, `${name}'s ${kind} is answered, and comes again`, () =>
        callOff(world, at, process, call, "copy"),
      );
    }
  }
}

/** Time passes while the node does nothing: suspended, starved, or cut off. */
function addSleep(steps: Step[], world: World, at: NodeIndex): void {
  if (world.left.sleep === 0 || nodeAt(world, at).process === null) return;
  for (const [ms, what] of [
    [SHORT_MS, "some time"],
    [LONG_MS, "a long time"],
  ] as const) {
    fault(steps, `${nameOf(at)} sleeps for ${what}`, () =>
      after(spend(world, "sleep"), (w) => pass(w, ms, at)),
    );
  }
}

function addWire(steps: Step[], world: World): void {
  for (const held of world.wire) {
    const what = held.kind === "request" ? held.command.kind : held.kind;
    fault(steps, `the late ${what} of ${nameOf(held.node)} arrives`, () => arrive(world, held));
  }
}

function addCoordinator(steps: Step[], world: World): void {
  const { left, hub } = world;
  calm(steps, "the coordinator looks at the time", () => tick(world));
  if (left.restart > 0) {
    fault(steps, "the coordinator restarts", () => after(spend(world, "restart"), restartHub));
  }
  if (left.backup > 0) {
    const { lease, jobs, known } = hub;
    fault(steps, "a backup is made", () =>
      after(spend(world, "backup"), (w) => withHub(w, { backup: { lease, jobs, known } })),
    );
  }
  if (left.restore > 0 && hub.backup !== null) {
    fault(steps, "the backup is restored", () => after(spend(world, "restore"), restoreHub));
  }
  if (left.break > 0) fault(steps, "the lease is broken", () => after(spend(world, "break"), breakHeld));
  if (left.gate > 0) {
    const does = hub.isOpen ? "closes" : "opens";
    fault(steps, `the gate ${does}`, () =>
      after(spend(world, "gate"), (w) => withHub(w, { isOpen: !hub.isOpen })),
    );
  }
  for (const step of elect(world)) steps.push(step);
}
