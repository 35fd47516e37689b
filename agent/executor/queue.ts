/** Runs what it is given in order, one at a time. What it is given must not reject. */
export type Queue = {
  add(run: () => Promise<void>): void;
  /** Done when everything added so far is. */
  readonly settled: () => Promise<void>;
};

export function createQueue(): Queue {
  let last: Promise<void> = Promise.resolve();
  return {
    add: (run) => {
      last = last.then(run);
    },
    settled: () => last,
  };
}
