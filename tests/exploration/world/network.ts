/** What is said between a process and the coordinator: at once, late, or twice. */

import { journalReport } from "../../../agent/core/journal.ts";
import type { Event } from "../../../agent/core/machine/event.ts";
import { holdings, updateReport } from "../../../agent/core/report.ts";
import { type Heartbeat, type Hello, PROTOCOL } from "../../../protocol/frames.ts";
import type { HealthReport } from "../../../protocol/health.ts";
import type { Presence } from "../../../server-stub/core/presence/presence.ts";
import { takeHeartbeat, takeHello } from "./hub.ts";
import { ordersFor, serve, unanswered } from "./leases.ts";
import { feed, withoutCall } from "./process.ts";
import {
  type Call,
  type Held,
  idOf,
  type NodeIndex,
  nodeAt,
  type Process,
  spend,
  type World,
  withHub,
  withProcess,
} from "./world.ts";

/** The process says hello and is welcomed. */
export function hello(world: World, at: NodeIndex, process: Process): World {
  const taken = takeHello(world, at, helloOf(process));
  return opened(taken.world, at, taken.session);
}

const opened = (world: World, at: NodeIndex, session: string): World =>
  feed(withProcess(world, at, { seq: 0 }), at, { kind: "session-opened", session });

/** It says hello; this copy of it comes late. */
export function helloLate(world: World, at: NodeIndex, process: Process): World | null {
  const { instance } = process;
  return hold(spend(world, "late"), { kind: "hello", node: at, instance, frame: helloOf(process) });
}

/** What a heartbeat would say right now; the health hook has just been asked. */
export function saying(world: World, at: NodeIndex): { world: World; frame: Heartbeat } | null {
  const health = healthOf(world, at);
  const before = nodeAt(world, at).process;
  const isNews = before !== null && before.machine.facts.health.role !== health.role;
  const isUnknown = before !== null && !before.machine.facts.health.healthy;
  const asked = isNews || isUnknown ? feed(world, at, { kind: "health", report: health }) : world;
  const { process } = nodeAt(asked, at);
  const session = process?.machine.facts.session ?? null;
  if (process === null || session === null) return null;
  const { machine, instance } = process;
  const frame: Heartbeat = {
    type: "heartbeat",
    session,
    seq: process.seq + 1,
    instanceId: instance,
    health,
    journal: journalReport(machine.facts.journal),
    finalWords: [...machine.facts.journal.finalWords],
    update: updateReport(machine),
    holdings: holdings(machine.facts),
  };
  return { world: withProcess(asked, at, { seq: frame.seq }), frame };
}

const healthOf = ({ leader }: World, at: NodeIndex): HealthReport =>
  leader === null ? { healthy: true } : { healthy: true, role: leader === at ? "leader" : "follower" };

/** A heartbeat is heard and answered by orders. */
export function heartbeat(world: World, at: NodeIndex): World | null {
  const said = saying(world, at);
  return said === null ? null : deliverHeartbeat(said.world, at, said.frame, true);
}

/** It is said, and comes late; or it comes at once and a copy of it comes late; or its orders do. */
export function heartbeatOff(
  world: World,
  at: NodeIndex,
  how: "late" | "copy" | "orders-late",
): World | null {
  const said = saying(world, at);
  if (said === null) return null;
  const { frame } = said;
  const held: Held = { kind: "heartbeat", node: at, frame };
  if (how === "late") return hold(spend(said.world, "late"), held);
  if (how === "copy") {
    const heard = hold(spend(said.world, "copy"), held);
    return heard === null ? null : deliverHeartbeat(heard, at, frame, true);
  }
  const taken = takeHeartbeat(said.world, at, frame);
  if (taken.heard !== "counted") return null;
  const event = ordersFor(taken.world, at);
  return hold(spend(taken.world, "late"), { kind: "orders", node: at, event });
}

function deliverHeartbeat(world: World, at: NodeIndex, frame: Heartbeat, isAnswered: boolean): World {
  const taken = takeHeartbeat(world, at, frame);
  if (!isAnswered || taken.heard === "stale-seq") return taken.world;
  if (taken.heard === "unknown-session") return feed(taken.world, at, { kind: "session-closed" });
  return feed(taken.world, at, ordersFor(taken.world, at));
}

/** A request of the lease API is served and answered. */
export function callAnswered(world: World, at: NodeIndex, call: Call): World {
  const served = serve(world, at, call.command);
  const done = withoutCall(served.world, at, call);
  return served.answer === null ? done : feed(done, at, served.answer);
}

/** Gives a token back that its node does not hold: it never will again, so nothing can come of it. */
export function isMoot({ hub }: World, at: NodeIndex, { command }: Call): boolean {
  if (command.kind !== "cancel") return false;
  return !hub.lease.holders.some((holder) => holder.nodeId === idOf(at) && holder.token === command.token);
}

/** The request comes late; or a copy of it does; or its answer. */
export function callOff(
  world: World,
  at: NodeIndex,
  { instance }: Process,
  call: Call,
  how: "late" | "copy" | "answer-late",
): World | null {
  const { command } = call;
  const held: Held = { kind: "request", node: at, instance, command };
  if (how === "copy") {
    const copied = hold(spend(world, "copy"), held);
    return copied === null ? null : callAnswered(copied, at, call);
  }
  if (how === "late") {
    const late = hold(spend(world, "late"), held);
    return late === null ? null : left(late, at, call);
  }
  const served = serve(world, at, command);
  if (served.answer === null) return null;
  const late = hold(spend(served.world, "late"), {
    kind: "answer",
    node: at,
    instance,
    event: served.answer,
  });
  return late === null ? null : left(late, at, call);
}

/** A request has left its place. One that nobody waits for is not thought of any more. */
function left(world: World, at: NodeIndex, call: Call): World {
  if (call.command.kind === "cancel") return withoutCall(world, at, call);
  const calls = nodeAt(world, at).process?.calls ?? [];
  return withProcess(world, at, {
    calls: calls.map((each) => (each === call ? { ...call, sent: true } : each)),
  });
}

/** Nobody answers in time. */
export function callGivenUp(world: World, at: NodeIndex, call: Call): World {
  const done = withoutCall(world, at, call);
  const event = unanswered(call.command);
  return event === null ? done : feed(done, at, event);
}

/** A message that was late arrives. */
export function arrive(world: World, held: Held): World {
  const next = { ...world, wire: world.wire.filter((each) => each !== held) };
  const at = held.node;
  const { process } = nodeAt(next, at);
  switch (held.kind) {
    case "hello": {
      if (!nodeAt(next, at).member) return next;
      const taken = takeHello(next, at, held.frame);
      const isWaiting = process?.instance === held.instance && process.machine.facts.session === null;
      return isWaiting ? opened(taken.world, at, taken.session) : taken.world;
    }
    case "heartbeat": {
      const isHeard = process !== null && process.machine.facts.session === held.frame.session;
      return deliverHeartbeat(next, at, held.frame, isHeard);
    }
    case "request": {
      const served = serve(next, at, held.command);
      if (served.answer === null || process?.instance !== held.instance) return served.world;
      return answered(served.world, at, served.answer);
    }
    case "answer":
      return process?.instance === held.instance ? answered(next, at, held.event) : next;
    case "orders":
      return feed(next, at, held.event);
  }
}

/** An answer reaches its process; a request that was given up is not waited for any more. */
function answered(world: World, at: NodeIndex, event: Event): World {
  const calls = nodeAt(world, at).process?.calls ?? [];
  const call = calls.find(({ command }) => "op" in command && "op" in event && command.op === event.op);
  return call === undefined ? world : feed(withoutCall(world, at, call), at, event);
}

const hold = (world: World | null, held: Held): World | null =>
  world === null ? null : { ...world, wire: [...world.wire, held] };

function helloOf({ machine, instance }: Process): Hello {
  const { facts } = machine;
  return {
    type: "hello",
    protocol: PROTOCOL,
    instanceId: instance,
    build: facts.self.running,
    platform: "linux-x64",
    runtime: "26.10.0",
    canHandOver: true,
    journal: journalReport(facts.journal),
    finalWords: [...facts.journal.finalWords],
    holdings: holdings(facts),
  };
}

/**
 * While time passes, who has nothing new to say is heard saying it again: as many heartbeats as it takes, in one. Who
 * has something new to say is not heard before it says so in a step of its own.
 */
export function keepHearing(world: World, asleep: NodeIndex | null): World {
  const presence = world.nodes.map((node, at): Presence | undefined => {
    const known = world.hub.presence[at];
    if (at === asleep || node.process === null || !node.member || known?.heartbeat == null) return known;
    if (!repeats(world, at, node.process, known.heartbeat, known.session)) return known;
    const beats = Math.max(known.healthyBeats, 1);
    return { ...known, heardAtMs: world.now, heartbeatAtMs: world.now, healthyBeats: beats };
  });
  return withHub(world, { presence });
}

function repeats(world: World, at: NodeIndex, process: Process, last: Heartbeat, session: string): boolean {
  const { facts } = process.machine;
  if (facts.session !== session || process.machine.update.kind === "exiting") return false;
  const journal = journalReport(facts.journal);
  const words = facts.journal.finalWords;
  return (
    last.journal.kind === journal.kind &&
    ("token" in last.journal ? last.journal.token : 0) === ("token" in journal ? journal.token : 0) &&
    last.finalWords.length === words.length &&
    last.finalWords.every((word, index) => word.token === words[index]?.token) &&
    last.health.role === healthOf(world, at).role &&
    last.holdings.quarantine.length === facts.quarantine.length
  );
}
