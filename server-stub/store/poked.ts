import { createPoke, type Poke } from "./poke.ts";
import type { Store } from "./store.ts";

/**
 * The same store, whose listeners hear also of what other processes write, by `heard`. `own`: called when this process
 * may have written something.
 */
export function pokedStore(store: Store, heard: Poke, own: () => void): Store {
  const all = createPoke();
  heard.listen(() => all.poke());
  store.onChange(() => {
    own();
    all.poke();
  });
  return { ...store, onChange: (listener) => all.listen(listener) };
}
