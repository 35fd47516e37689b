/** A list of whole numbers that grows, at four bytes each. */
export class Numbers {
  #values = new Int32Array(1 << 12);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const grown = new Int32Array(this.#length * 2);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#length] = value;
    this.#length += 1;
  }

  at(index: number): number {
    return this.#values[index] ?? -1;
  }
}

/** The calm steps between states. */
export class Edges {
  readonly #from = new Numbers();
  readonly #to = new Numbers();

  add(from: number, to: number): void {
    this.#from.push(from);
    this.#to.push(to);
  }

  /** The first of `count` states from which no way leads to any of `goals`; null when there is none. */
  firstThatCannotReach(goals: Numbers, count: number): number | null {
    const { starts, sources } = this.#backwards(count);
    const reaches = new Uint8Array(count);
    const queue = new Int32Array(count);
    let end = 0;
    const reach = (state: number) => {
      if (reaches[state] === 1) return;
      reaches[state] = 1;
      queue[end] = state;
      end += 1;
    };
    for (let at = 0; at < goals.length; at += 1) reach(goals.at(at));
    for (let at = 0; at < end; at += 1) {
      const state = queue[at] ?? 0;
      for (let edge = starts[state] ?? 0; edge < (starts[state + 1] ?? 0); edge += 1)
        reach(sources[edge] ?? 0);
    }
    const stuck = reaches.indexOf(0);
    return stuck === -1 ? null : stuck;
  }

  /** For each state where its incoming edges begin in `sources`: a counting sort by target. */
  #backwards(count: number): { starts: Int32Array; sources: Int32Array } {
    const starts = new Int32Array(count + 1);
    for (let at = 0; at < this.#to.length; at += 1)
      starts[this.#to.at(at) + 1] = (starts[this.#to.at(at) + 1] ?? 0) + 1;
    for (let at = 0; at < count; at += 1) starts[at + 1] = (starts[at + 1] ?? 0) + (starts[at] ?? 0);
    const places = starts.slice();
    const sources = new Int32Array(this.#to.length);
    for (let at = 0; at < this.#to.length; at += 1) {
      const to = this.#to.at(at);
      const place = places[to] ?? 0;
      sources[place] = this.#from.at(at);
      places[to] = place + 1;
    }
    return { starts, sources };
  }
}
