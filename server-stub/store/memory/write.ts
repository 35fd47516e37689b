/** The only ways in which the state is changed; each can be undone. */
export type Write = {
  set<K, V>(map: Map<K, V>, key: K, value: V): void;
  remove<K, V>(map: Map<K, V>, key: K): void;
  append<T>(list: T[], item: T): void;
};
