/** How components come to what they show. */
import { type ReadonlySignal, useComputed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { EventKind, FleetEvent } from "../../../protocol/event.ts";
import type { Problem } from "../../../protocol/problem.ts";
import type { Collection } from "./collection.ts";
import { useStore } from "./store.ts";

/** Fills the collection, if nobody has yet. */
export function useCollection<T>(collection: Collection<T>): Collection<T> {
  useEffect(() => collection.want(), [collection]);
  return collection;
}

/** What `compute` makes of everything in a collection; again when something in it has changed. */
export function useOfAll<T, R>(
  collection: Collection<T>,
  compute: (all: readonly T[]) => R,
): ReadonlySignal<R> {
  useCollection(collection);
  return useComputed(() => {
    void collection.revision.value;
    void collection.keys.value;
    return compute(collection.all());
  });
}

export type Resource<T> =
  | { readonly kind: "waiting" }
  | { readonly kind: "ready"; readonly value: T }
  | { readonly kind: "failed"; readonly problem: Problem };

/** At most that often is a resource read anew because of events. */
const READ_EVERY_MS = 1_000;
const RETRY_MS = 5_000;

/**
 * What a GET answers; read anew after events of `kinds` for which `concerns` holds, and after a reset. For what no
 * collection holds: one thing with its details, or a page of a list.
 */
export function useResource<T>(
  path: string,
  kinds: readonly EventKind[] = [],
  concerns: (event: FleetEvent) => boolean = () => true,
): ReadonlySignal<Resource<T>> {
  const { client, stream, onEvents } = useStore();
  const resource = useSignal<Resource<T>>({ kind: "waiting" });
  useEffect(() => {
    let over = false;
    let due: ReturnType<typeof setTimeout> | undefined;
    const read = async (): Promise<void> => {
      await stream.ready();
      const answer = await client.get<T>(path);
      if (over) return;
      if (answer.ok) resource.value = { kind: "ready", value: answer.value };
      else {
        if (resource.value.kind !== "ready" || answer.error.status === 404)
          resource.value = { kind: "failed", problem: answer.error };
        if (answer.error.status === 0 || answer.error.status >= 500) soon(RETRY_MS);
      }
    };
    const soon = (ms: number): void => {
      due ??= setTimeout(() => {
        due = undefined;
        void read();
      }, ms);
    };
    resource.value = { kind: "waiting" };
    void read();
    const off = onEvents(kinds, (event) => {
      if (event === null || concerns(event)) soon(READ_EVERY_MS);
    });
    return () => {
      over = true;
      clearTimeout(due);
      off();
    };
  }, [path]);
  return resource;
}
