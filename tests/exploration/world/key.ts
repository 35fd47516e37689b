/**
 * The canonical text of a world: two worlds with the same text have the same future, up to names. What is left out,
 * and why that is sound:
 *
 * - Names of processes and sessions only ever compare as equal or not: each node's are numbered as they come up.
 * - Tokens only compare with tokens of their own node, with the last one given, and by epoch: each node's are ranked.
 *   The next one is above all others whatever their gaps are (`checks.ts` sees to that).
 * - Instants only compare with limits: what is left of a deadline counts, and of an age whether it is over its limit.
 * - Sentences, steps and percentages for people; how often a job came back (it never gives up here); the numbers of
 *   requests, but for whether their answer is still awaited; and messages that nobody takes any more.
 * - Which node it is: nodes differ by what is in their text alone, so texts are sorted (symmetry of the voters).
 */
import type { Command } from "../../../agent/core/machine/command.ts";
import type { Event } from "../../../agent/core/machine/event.ts";
import type { Presence } from "../../../server-stub/core/presence/presence.ts";
import { diskText, journalText, quarantineText, swapText } from "./key-disk.ts";
import { hubText } from "./key-hub.ts";
import { machineText } from "./key-machine.ts";
import { Naming } from "./naming.ts";
import { isMoot } from "./network.ts";
import { left, uptimeOf } from "./time.ts";
import { type Held, type Node, type NodeIndex, nodeAt, type Process, type World } from "./world.ts";

export function keyOf(world: World, isSymmetric: boolean): string {
  const texts = world.nodes.map((_, at) => nodeText(world, at));
  if (isSymmetric) texts.sort();
  const { hub, now } = world;
  const { crash, late, copy, restart, backup, restore, pause, sleep, cut, stop, gate, elect, hook } =
    world.left;
  const faults = `${crash}${late}${copy}${restart}${backup}${restore}${world.left.break}${world.left.remove}${pause}${sleep}${cut}${stop}${gate}${elect}${hook}`;
  const isRisen = hub.given > Math.max(hub.lease.lastToken, hub.epoch * 2 ** 32) ? "!" : "";
  const grace = now - hub.startedAt <= 15_000 ? "u" : "";
  return `${texts.join("|")}#${faults}${isRisen}${grace}${hub.isOpen ? "" : "c"}${hub.backup === null ? "" : "b"}`;
}

function nodeText(world: World, at: NodeIndex): string {
  const node = world.nodes[at];
  if (node === undefined || !node.member) return "-";
  const names = new Naming(world.hub.lease.lastToken, world.hub.epoch);
  // Twice, unless once is enough: the first time every token is met, the second time it is written as its rank.
  const first = bodyOf(world, at, node, names);
  if (names.isInOrder) return first;
  names.rank();
  return bodyOf(world, at, node, names);
}

function bodyOf(world: World, at: NodeIndex, node: Node, names: Naming): string {
  const uptime = uptimeOf(world, node);
  const { process, disk } = node;
  const leads = world.leader === at ? "L" : "";
  const lag = node.lagMs === 0 ? "" : `~${node.lagMs}`;
  const life = process === null ? "x" : processText(world, at, process, names, uptime);
  const wire = world.wire.flatMap((held) =>
    held.node === at ? [heldText(held, process, world.hub.presence[at], names)] : [],
  );
  return `${leads}${lag}${diskText(disk, names, uptime)};${life};${hubText(world, at, names)};${wire.sort().join(",")}`;
}

function processText(world: World, at: NodeIndex, process: Process, names: Naming, uptime: number): string {
  const { disk } = nodeAt(world, at);
  const { machine, tasks, hooks, calls, instance, halfFlipped, slow, startedAt } = process;
  // Only the guard's deadline asks how long it has run.
  const isTimed = disk.trial !== null && disk.dist.link === disk.trial.swap.to.link;
  const age = isTimed ? Math.min(uptime - startedAt, 140_000) : 0;
  const flags = `${halfFlipped ? "h" : ""}${slow ? "s" : ""}`;
  let text = `${names.process(instance)}a${age}${flags}${machineText(machine, disk, names, uptime)}`;
  for (const task of tasks) text += taskText(task, machine.facts.writing, names, uptime);
  for (const { kind } of hooks) text += `H${kind.charAt(0)}`;
  for (const call of calls) {
    if (isMoot(world, at, call)) continue;
    const { command, sent } = call;
    text += `C${command.kind.slice(0, 3)}${names.session(command.session)}${sent ? "s" : ""}${isAwaited(command, process) ? "" : "-"}`;
    if ("token" in command) text += names.token(command.token);
  }
  return text;
}

/** Whether a request's answer would still be taken. */
function isAwaited(asked: object, { machine }: Process): boolean {
  const { update } = machine;
  const op = "op" in asked ? asked.op : null;
  if (update.kind === "handing-over" && update.renewal?.op === op) return true;
  return "op" in update && update.op === op;
}

function taskText(task: Command, writing: number | null, names: Naming, uptime: number): string {
  const isWriting = "op" in task && task.op === writing ? "w" : "";
  switch (task.kind) {
    case "write-journal":
      return `D${isWriting}{${journalText(task.journal, names)}}`;
    case "flip":
      return `Df${left(task.actBy, uptime)}`;
    case "write-trial":
    case "undo-swap":
    case "flip-back":
      return `D${task.kind.slice(0, 4)}${swapText(task.swap, names)}`;
    case "restore-backup":
      return `Dr${names.build(task.backup)}`;
    case "quarantine":
      return `Dq${task.entry.provisional ? "p" : ""}`;
    case "remove-trial":
      return `Dt${task.confirmed ? "c" : ""}`;
    case "prepare":
    case "stop-preparing":
    case "reserve":
    case "renew":
    case "commit":
    case "cancel":
    case "hand-over":
    case "drain":
    case "resume":
    case "lift-quarantine":
    case "leave-verdict":
    case "discard-trial":
    case "raise-floor":
    case "suspend-deadline":
    case "forget-verdict":
    case "collect-garbage":
    case "note":
    case "exit":
      return `D${task.kind}`;
  }
}

function heldText(
  held: Held,
  process: Process | null,
  presence: Presence | undefined,
  names: Naming,
): string {
  switch (held.kind) {
    case "hello": {
      const { instance, frame } = held;
      return `~h${names.process(instance)}${names.hash(frame.build.buildHash)}`;
    }
    case "heartbeat": {
      const { frame } = held;
      const { journal } = frame;
      const isNew = presence?.session === frame.session && frame.seq > presence.seq;
      const words = frame.finalWords
        .map(({ word, token }) => `${word.charAt(0)}${names.token(token)}`)
        .join("");
      const token = "token" in journal ? names.token(journal.token) : "";
      const update = `${frame.update.state.slice(0, 4)}${frame.update.failed ? "f" : ""}`;
      const holds = quarantineText(frame.holdings.quarantine, names);
      return `~b${names.session(frame.session)}${names.process(frame.instanceId)}${names.seq(frame.seq)}${isNew ? "n" : ""}${journal.kind.slice(0, 2)}${token}${words}${update}${holds}${frame.health.role ?? ""}`;
    }
    case "request": {
      const { command } = held;
      const token = "token" in command ? names.token(command.token) : "";
      const isDead = process?.instance !== held.instance || !isAwaited(command, process);
      return `~r${command.kind.slice(0, 3)}${names.session(command.session)}${names.process(held.instance)}${token}${isDead ? "-" : ""}`;
    }
    case "answer": {
      const isDead = process?.instance !== held.instance || !isAwaited(held.event, process);
      return isDead
        ? ""
        : `~a${held.event.kind}${"token" in held.event ? names.token(held.event.token) : ""}`;
    }
    case "orders":
      return `~o${ordersText(held.event, names)}`;
  }
}

function ordersText(event: Event, names: Naming): string {
  if (event.kind !== "orders") return "";
  const { desired, turn, confirm, acknowledged } = event;
  const said = confirm === null ? "" : `k${names.token(confirm.token)}${names.process(confirm.instanceId)}`;
  const words = acknowledged.map((token) => names.token(token)).join("");
  return `${desired === null ? "" : "d"}${turn === null ? "" : "t"}${said}/${words}`;
}
