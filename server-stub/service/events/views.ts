import type { EventKind } from "../../../protocol/event.ts";
import type { DurationMs, EpochMs } from "../../../protocol/time.ts";

/** What an event's subject is now, as the API shows it to everybody who may see; null when it is gone or has no view. */
export type Readers = { readonly [K in EventKind]: (subject: string) => Promise<unknown> };

/** A view may rest on more than its own subject, so it is not kept for longer. */
const KEPT_MS: DurationMs = 1_000;
const MAX_KEPT = 2_000;

/** Views as JSON: read once for each piece of news, however many are told of it. */
export type Views = {
  json(kind: EventKind, subject: string): Promise<string>;
  /** There is news of it: what was read before is no longer true. */
  forget(kind: EventKind, subject: string): void;
};

export function createViews(
  read: Readers,
  now: () => EpochMs,
  failed: (error: unknown, kind: EventKind) => void,
): Views {
  const kept = new Map<string, { readonly at: EpochMs; readonly json: Promise<string> }>();
  return {
    json: (kind, subject) => {
      const key = `${kind} ${subject}`;
      const known = kept.get(key);
      if (known !== undefined && now() - known.at < KEPT_MS) return known.json;
      const json = read[kind](subject).then(
        (value) => JSON.stringify(value ?? null),
        (error: unknown) => {
          failed(error, kind);
          return "null";
        },
      );
      if (kept.size >= MAX_KEPT) kept.clear();
      kept.set(key, { at: now(), json });
      return json;
    },
    forget: (kind, subject) => void kept.delete(`${kind} ${subject}`),
  };
}
