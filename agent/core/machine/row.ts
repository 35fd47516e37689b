import type { Draft } from "./draft.ts";
import type { EventKind, EventOf } from "./event.ts";
import type { StateKind, StateOf, UpdateState } from "./state.ts";

/** What an event means in a state: nothing, for a reason, or a way on to one of the states named (or staying). */
export type Cell<S, E> =
  | { readonly ignored: string }
  | { readonly to: readonly StateKind[]; run(draft: Draft, state: S, event: E): UpdateState };

/** Everything that can happen in one state. The type is what proves that nothing was forgotten. */
export type Row<K extends StateKind> = {
  readonly [E in EventKind]: Cell<StateOf<K>, EventOf<E>>;
};

/** The whole machine. */
export type Table = { readonly [K in StateKind]: Row<K> };

const late = { ignored: "late: nothing that it answers was asked for in this state" };

/** Answers, in a state that waits for none of them. A row spreads this and overrides what it does wait for. */
export const UNASKED = {
  "prepare-progressed": late,
  "prepare-done": late,
  "prepare-failed": late,
  "reserve-granted": late,
  "reserve-failed": late,
  "renew-granted": late,
  "renew-failed": late,
  "commit-granted": late,
  "commit-failed": late,
  "hand-over-done": late,
  "hand-over-failed": late,
  "drain-done": late,
  "drain-failed": late,
  "resume-done": late,
  "resume-failed": late,
  "journal-written": late,
  "journal-failed": late,
  "disk-done": late,
  "disk-failed": late,
  "flip-too-late": late,
  "guard-was-faster": late,
} as const;

/** Events that only add to what is known, which `transition` has noted already. */
export const NOTED = {
  "session-opened": { ignored: "noted; it changes nothing here" },
  "session-closed": { ignored: "noted; it changes nothing here" },
  health: { ignored: "noted; it changes nothing here" },
  tick: { ignored: "nothing is due" },
} as const;
