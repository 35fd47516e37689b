/**
 * The one clock of a simulated world: events in the order of their time, and of their making where the time is the
 * same. Nothing happens by itself; after each event everything that follows from it without time is done first.
 */
export type Cancel = () => void;

type Happening = { readonly at: number; readonly order: number; run: (() => void) | null };

export class Time {
  /** Milliseconds since the world began. */
  now = 0;
  steps = 0;
  readonly #heap: Happening[] = [];
  #order = 0;
  #outside = 0;
  #failure: { readonly cause: unknown } | null = null;

  at(when: number, run: () => void): Cancel {
    const happening: Happening = { at: Math.max(this.now, when), order: this.#order++, run };
    push(this.#heap, happening);
    return () => {
      happening.run = null;
    };
  }

  after(ms: number, run: () => void): Cancel {
    return this.at(this.now + Math.max(0, ms), run);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Something that takes real time, such as a database on a real disk: the world stands still meanwhile. */
  async outside<T>(work: Promise<T>): Promise<T> {
    this.#outside += 1;
    try {
      return await work;
    } finally {
      this.#outside -= 1;
    }
  }

  /** For what must not fail: a rejection ends the world. */
  must(work: Promise<unknown>): void {
    work.catch((cause: unknown) => {
      this.#failure ??= { cause };
    });
  }

  /** Lets the next thing happen, and all that follows from it at once. False when nothing is to come until `until`. */
  async step(until: number): Promise<boolean> {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.at > until) return false;
      pop(this.#heap);
      if (next.run === null) continue;
      this.now = next.at;
      this.steps += 1;
      next.run();
      await this.settle();
      return true;
    }
  }

  /** When nothing can happen any more without time. */
  async settle(): Promise<void> {
    await microtasksDone();
    while (this.#outside > 0) {
      await new Promise(setImmediate);
      await microtasksDone();
    }
    if (this.#failure !== null) throw this.#failure.cause;
  }
}

/** A tick that is asked for by a microtask comes when there are no microtasks left. */
const microtasksDone = (): Promise<void> =>
  Promise.resolve().then(() => new Promise<void>((resolve) => process.nextTick(resolve)));

const before = (a: Happening, b: Happening): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

function push(heap: Happening[], item: Happening): void {
  let at = heap.length;
  heap.push(item);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || !before(item, above)) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = item;
}

function pop(heap: Happening[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    const left = heap[child];
    if (left === undefined) break;
    const right = heap[child + 1];
    if (right !== undefined && before(right, left)) child += 1;
    const least = right !== undefined && before(right, left) ? right : left;
    if (!before(least, last)) break;
    heap[at] = least;
    at = child;
  }
  heap[at] = last;
}
