/** What a stream says next. `id` is what a reader who comes back names; null for what is not stored. */
export type StreamItem =
  /** `json` is a `FleetEvent`. */
  | { readonly kind: "event"; readonly id: string | null; readonly json: string }
  /** Something is missing from here on: everything has to be read anew, and then from `id`. */
  | { readonly kind: "reset"; readonly id: string; readonly reason: string }
  /** The reader's own token has changed: whether it may still read has to be looked up. */
  | { readonly kind: "check" };

/** One reader's stream of events. */
export type EventStream = {
  /** Where it stands: who comes back with this misses nothing that was not given out yet. */
  readonly position: string;
  /** Aborted when there will be nothing more, or nothing but a reset. */
  readonly signal: AbortSignal;
  /** What is to be said next, as soon as there is something; null when it is over. One call at a time. */
  next(): Promise<StreamItem | null>;
  close(): void;
};
