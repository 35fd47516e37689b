/**
 * The update machine: `transition(state, event, now, policy) -> { state, commands }`, and nothing else. It has no
 * clock, no randomness, no I/O and no log; the shell (`agent/runner.ts`) stores what it decides and does what it
 * commands.
 *
 * Invariants:
 * - `dist` is flipped forward only after a commit was granted, drained in time, and the journal and `trial/` are
 *   durable; back only from probation. There is no other flip.
 * - A commit is only sent once the journal says `committing`, durably; whatever is heard of it, either the swap
 *   follows or `not-acted` is written down.
 * - `confirmed` is said only after `trial/` is gone.
 * - A token that a final word was said on is never acted upon again.
 */
import type { UptimeMs } from "../../../protocol/time.ts";
import type { Command } from "./command.ts";
import { Draft } from "./draft.ts";
import type { Event, EventKind, EventOf } from "./event.ts";
import type { Facts, Op, Policy } from "./facts.ts";
import type { Cell } from "./row.ts";
import type { UpdateState } from "./state.ts";
import { TABLE } from "./table.ts";

/** The machine at rest: what it knows, and where the update stands. */
export type Machine = { readonly facts: Facts; readonly update: UpdateState };

export type Transition = {
  readonly machine: Machine;
  readonly commands: readonly Command[];
  /** Why the event changed nothing about the update; it may still have added to what is known. */
  readonly ignored: string | null;
};

/** What follows from an event. Every pair of state and event is decided; none throws. */
export function transition(machine: Machine, event: Event, now: UptimeMs, policy: Policy): Transition {
  const before = machine.update;
  if ("op" in event && !awaits(machine).includes(event.op)) {
    return { machine, commands: [], ignored: "late: it answers an earlier request" };
  }
  const facts = note(machine.facts, event);
  const cell = TABLE[before.kind][event.kind] as Cell<UpdateState, Event>;
  if ("ignored" in cell) return { machine: { facts, update: before }, commands: [], ignored: cell.ignored };
  const draft = new Draft(machine.facts, now, policy);
  draft.learn(facts);
  const update = cell.run(draft, before, event);
  return { machine: { facts: draft.facts, update }, commands: draft.commands, ignored: draft.ignored };
}

/** Numbers of the requests whose answers still matter. */
export function awaits({ facts, update }: Machine): readonly number[] {
  const ops: (number | null)[] = [facts.writing];
  if ("op" in update) ops.push(update.op);
  if (update.kind === "handing-over") ops.push(update.renewal?.op ?? null);
  return ops.filter((op) => op !== null);
}

/** What an event adds to what is known, whatever the state. */
function note(facts: Facts, event: Event): Facts {
  const add = NOTES[event.kind] as ((facts: Facts, event: Event) => Facts) | undefined;
  return add === undefined ? facts : add(facts, event);
}

const NOTES: { readonly [K in EventKind]?: (facts: Facts, event: EventOf<K>) => Facts } = {
  orders: (facts, { desired, turn, waiting }) => {
    // How a job ended is told for as long as it is desired.
    const outcome = facts.outcome?.jobId === desired?.jobId ? facts.outcome : null;
    return { ...facts, orders: { desired, turn, waiting }, outcome };
  },
  "session-opened": (facts, { session }) => ({ ...facts, session }),
  "session-closed": (facts) => ({ ...facts, session: null, orders: { ...facts.orders, turn: null } }),
  health: (facts, { report }) => ({ ...facts, health: report }),
  "stop-requested": (facts) => ({ ...facts, stopping: true }),
  "journal-written": (facts, { op, journal }) => ({ ...notWriting(facts, op), journal }),
  "journal-failed": (facts, { op }) => notWriting(facts, op),
  "disk-done": (facts, { quarantine }) => (quarantine === undefined ? facts : { ...facts, quarantine }),
};

const notWriting = (facts: Facts, op: Op): Facts =>
  facts.writing === op ? { ...facts, writing: null } : facts;
