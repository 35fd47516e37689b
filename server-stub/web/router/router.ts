/**
 * Where we are. The address is the only state of it: what a page was filtered by survives reload and back, and can be
 * sent to somebody else.
 */
import { batch, computed, type ReadonlySignal, signal } from "@preact/signals";
import { createContext } from "preact";
import { useContext } from "preact/hooks";

export type Router = {
  readonly path: ReadonlySignal<string>;
  readonly query: ReadonlySignal<URLSearchParams>;
  /** Goes to an address of ours. */
  readonly go: (to: string, how?: { readonly replace?: boolean }) => void;
  /** Changes what is after the `?`; null or "" takes a value away. Typing replaces, choosing does not. */
  readonly setQuery: (
    changes: Readonly<Record<string, string | null>>,
    how?: { readonly replace?: boolean },
  ) => void;
};

export function createRouter(window: Window): Router {
  const { location, history } = window;
  const path = signal(location.pathname);
  const search = signal(location.search);
  const query = computed(() => new URLSearchParams(search.value));
  const read = (): void =>
    batch(() => {
      path.value = location.pathname;
      search.value = location.search;
    });
  window.addEventListener("popstate", read);
  const go: Router["go"] = (to, { replace = false } = {}) => {
    const url = new URL(to, location.href);
    const elsewhere = url.pathname !== location.pathname;
    if (url.href === location.href) return;
    history[replace ? "replaceState" : "pushState"](null, "", url);
    read();
    if (!elsewhere || replace) return;
    window.scrollTo(0, 0);
    // A reader of the screen is told where it is now.
    window.document.querySelector<HTMLElement>("h1")?.focus();
  };
  return {
    path,
    query,
    go,
    setQuery(changes, how) {
      const next = new URLSearchParams(location.search);
      for (const [name, value] of Object.entries(changes)) {
        if (value === null || value === "") next.delete(name);
        else next.set(name, value);
      }
      const text = next.toString();
      go(`${location.pathname}${text === "" ? "" : `?${text}`}`, how);
    },
  };
}

export const RouterContext = createContext<Router | null>(null);

export function useRouter(): Router {
  const router = useContext(RouterContext);
  if (router === null) throw new Error("there is no router above this component");
  return router;
}
