/** Says that something is new, and not what: who listens reads again. */
export type Poke = {
  /** Listens until the returned function is called. A listener must be quick, and must not throw. */
  listen(listener: () => void): () => void;
  poke(): void;
};

export function createPoke(): Poke {
  const listeners = new Set<() => void>();
  return {
    listen: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    poke: () => {
      for (const listener of listeners) listener();
    },
  };
}
