import { type ReadonlySignal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { EventKind } from "../../../protocol/event.ts";
import type { Problem } from "../../../protocol/problem.ts";
import { useStore } from "./store.ts";

export type Pages<T> = {
  readonly kind: "waiting" | "ready" | "failed";
  readonly items: readonly T[];
  /** There are more than these. */
  readonly hasMore: boolean;
  readonly problem: Problem | null;
};

const PAGE = 100;
const READ_EVERY_MS = 1_000;
const RETRY_MS = 5_000;

/**
 * The head of a long list that begins with what happened last, as far as somebody has asked for; read anew after events
 * of `kinds`. For lists that no collection holds.
 */
export function usePages<T>(
  path: string,
  key: string,
  kinds: readonly EventKind[],
): { readonly pages: ReadonlySignal<Pages<T>>; readonly more: () => void } {
  const { client, stream, onEvents } = useStore();
  const pages = useSignal<Pages<T>>(NOTHING);
  const wanted = useRef(PAGE);
  const readNow = useRef<() => void>(() => undefined);
  useEffect(() => {
    let over = false;
    let due: ReturnType<typeof setTimeout> | undefined;
    wanted.current = PAGE;
    const read = async (): Promise<void> => {
      await stream.ready();
      const items: T[] = [];
      let cursor: string | null = null;
      do {
        const query: string = new URLSearchParams({
          limit: String(Math.min(1_000, wanted.current - items.length)),
          ...(cursor === null ? {} : { cursor }),
        }).toString();
        const page = await client.get<Record<string, unknown> & { readonly next: string | null }>(
          `${path}${path.includes("?") ? "&" : "?"}${query}`,
        );
        if (over) return;
        if (!page.ok) {
          if (pages.value.kind !== "ready") pages.value = { ...NOTHING, kind: "failed", problem: page.error };
          if (page.error.status === 0 || page.error.status >= 500) soon(RETRY_MS);
          return;
        }
        items.push(...(page.value[key] as readonly T[]));
        cursor = page.value.next;
      } while (cursor !== null && items.length < wanted.current);
      pages.value = { kind: "ready", items, hasMore: cursor !== null, problem: null };
    };
    const soon = (ms: number): void => {
      due ??= setTimeout(() => {
        due = undefined;
        void read();
      }, ms);
    };
    pages.value = NOTHING;
    void read();
    readNow.current = () => void read();
    const off = onEvents(kinds, () => soon(READ_EVERY_MS));
    return () => {
      over = true;
      clearTimeout(due);
      off();
    };
  }, [path]);
  return {
    pages,
    more: () => {
      wanted.current += PAGE;
      readNow.current();
    },
  };
}

const NOTHING: Pages<never> = { kind: "waiting", items: [], hasMore: false, problem: null };
